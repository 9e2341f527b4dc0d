/**
 * What a subject can be asked: version 1 of the set, as types. `SUBJECT.md` says the same in words.
 *
 * A subject answers those it can; `hello` lists them, and cases that need another are skipped. Bytes are
 * lower-case hexadecimal text, numbers whole and at most 2 ** 53 - 1, absent values null.
 *
 * @module
 */

/** Bytes as lower-case hexadecimal text. */
export type Hex = string

/** A node of the Merkle tree. */
export interface NodeJson {
  readonly index: number
  readonly size: number
  readonly hash: Hex
}

/** A block with its proof, or (`value` null) the proof of its hash. */
export interface DataJson {
  readonly index: number
  readonly value: Hex | null
  readonly nodes: readonly NodeJson[]
  readonly signature: Hex | null
}

/** Rows of a pointer table: row, and its slots with 0 for an empty one. */
export type RowsJson = readonly (readonly [number, readonly number[]])[]

/** An entry of a drive. */
export interface StatJson {
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly size: number
  readonly blocks: number
  readonly offset: number
  readonly byteOffset: number
  readonly mtime: number
  readonly ctime: number
  readonly linkname: string | null
  readonly mount: {
    readonly key: Hex
    readonly version: number | null
    readonly hash: Hex | null
    readonly hypercore: boolean
  } | null
  readonly metadata: Readonly<Record<string, Hex | null>> | null
}

/** One call on a trie. */
export type TrieCall =
  | {
      readonly op: 'put'
      readonly key: string
      readonly value: Hex | null
      readonly hidden?: boolean
      readonly flags?: number
    }
  | { readonly op: 'del'; readonly key: string; readonly hidden?: boolean }
  | { readonly op: 'batch'; readonly ops: readonly TrieCall[] }

/** One question to a trie. */
export interface TrieQuery {
  readonly q: 'get' | 'iterate' | 'diff' | 'history'
  /** Version to ask; 0 is the newest. */
  readonly at: number
  readonly key?: string
  readonly prefix?: string
  /** diff: the other version. */
  readonly against?: number
  readonly opts: Readonly<Record<string, unknown>>
}

/** One call on a drive. */
export type DriveCall =
  | {
      readonly op: 'writeFile'
      readonly path: string
      readonly data: Hex
      readonly options?: {
        readonly mode?: number
        readonly metadata?: Readonly<Record<string, Hex>>
      }
    }
  | { readonly op: 'mkdir' | 'unlink' | 'rmdir' | 'createTag'; readonly path: string }
  | { readonly op: 'symlink'; readonly target: string; readonly path: string }
  | { readonly op: 'truncate'; readonly path: string; readonly size: number }

/** How a log is put on the wire. */
export interface ServeArgs {
  /** Public key of the log. */
  readonly key: Hex
  /** A folder with the log, to be opened as it is; null: nothing is stored yet. */
  readonly folder: string | null
  readonly secretKey?: Hex
  /** Appended after it is opened, one call. */
  readonly blocks?: readonly Hex[]
  readonly sparse?: boolean
  /** Connections stay when everything was exchanged. */
  readonly live?: boolean
  /** Ask the remote for acknowledgements. */
  readonly ack?: boolean
  readonly upload?: boolean
  readonly download?: boolean
  /** `false`: no cipher after the handshake. */
  readonly encrypted?: boolean
  /** `false`: no handshake either. */
  readonly noise?: boolean
  /** Milliseconds of silence that end a connection; 0: never. */
  readonly timeout?: number
  /** Names of extensions to register, in this order, whose messages are kept. */
  readonly extensions?: readonly string[]
}

/** Of an operation that takes none. */
export type NoArguments = Readonly<Record<string, never>>

/** The operations: arguments and result of each. */
export interface Operations {
  hello: { args: { version: 1 }; result: { version: 1; name: string; operations: string[] } }

  leaf: { args: { data: Hex }; result: { hash: Hex; size: number } }
  parent: { args: { first: NodeJson; second: NodeJson }; result: { hash: Hex; size: number } }
  tree: { args: { roots: readonly NodeJson[] }; result: { hash: Hex } }
  signable: { args: { hash: Hex; length: number }; result: { bytes: Hex } }
  keyPair: {
    args: { seed: Hex }
    result: { publicKey: Hex; secretKey: Hex }
  }
  discoveryKey: { args: { publicKey: Hex }; result: { discoveryKey: Hex } }
  deriveSeed: { args: { masterKey: Hex; namespace: string; name: Hex }; result: { seed: Hex } }
  sign: { args: { secretKey: Hex; message: Hex }; result: { signature: Hex } }
  verifyHead: {
    args: { publicKey: Hex; hash: Hex; length: number; signature: Hex }
    result: { valid: boolean }
  }
  flatTree: {
    args: { index: number }
    result: {
      depth: number
      offset: number
      parent: number
      sibling: number
      children: readonly [number, number] | null
      leftSpan: number
      rightSpan: number
      count: number
    }
  }
  fullRoots: { args: { index: number }; result: { roots: readonly number[] } }
  encodeBitfield: { args: { bits: Hex }; result: { bytes: Hex } }
  decodeBitfield: { args: { bytes: Hex; maxBytes: number }; result: { bits: Hex } }
  digest: {
    args: { nodes: readonly number[]; index: number; bits?: number }
    result: { digest: number }
  }
  planProof: {
    args: { nodes: readonly number[]; index: number; digest: number; hash: boolean }
    result: { nodes: readonly number[]; verifiedBy: number } | null
  }
  prove: {
    args: {
      secretKey: Hex
      blocks: readonly Hex[]
      index: number
      digest: number
      hash: boolean
    }
    result: { nodes: readonly NodeJson[]; signature: Hex | null } | null
  }
  replica: {
    args: { publicKey: Hex; messages: readonly DataJson[] }
    result: {
      steps: readonly {
        digest: number
        accepted: boolean
        length: number
        byteLength: number
        held: readonly number[]
      }[]
    }
  }
  seek: {
    args: { sizes: readonly number[]; bytes: number }
    result: { index: number; offset: number } | null
  }

  staticKeyPair: { args: { seed: Hex }; result: { publicKey: Hex; secretKey: Hex } }
  handshake: {
    args: {
      initiator: boolean
      staticSecret: Hex
      ephemeralSecret: Hex
      nonce: Hex
      /** What has come so far, one framed message each. */
      received: readonly Hex[]
    }
    result: {
      /** What was sent so far, framed. */
      sent: readonly Hex[]
      done: {
        tx: Hex
        rx: Hex
        handshakeHash: Hex
        remotePublicKey: Hex
        remoteNonce: Hex
      } | null
    }
  }
  keystream: {
    args: { key: Hex; nonce: Hex; pieces: readonly Hex[] }
    result: { pieces: readonly Hex[] }
  }
  capability: { args: { key: Hex; tx: Hex; rx: Hex }; result: { own: Hex; remote: Hex } }
  encodeMessage: {
    args: { type: string; message: Readonly<Record<string, unknown>> }
    result: { payload: Hex }
  }
  decodeMessage: {
    args: { type: string; payload: Hex }
    result: { message: Readonly<Record<string, unknown>> }
  }
  encodeFrame: { args: { channel: number; type: number; payload: Hex }; result: { frame: Hex } }
  parseFrames: {
    args: { chunks: readonly Hex[] }
    result: { frames: readonly { channel: number; type: number; payload: Hex }[] }
  }
  extensionNames: {
    args: { local: readonly string[]; remote: readonly string[] }
    result: { advertised: readonly string[]; matched: readonly (string | null)[] }
  }

  hashPath: {
    args: { key: string; hidden: boolean }
    result: { storedKey: string; components: readonly string[]; hash: Hex; path: string }
  }
  encodeHeader: {
    args: { type: string; metadata: Hex | null; subtype: string | null }
    result: { block: Hex }
  }
  decodeHeader: {
    args: { block: Hex }
    result: { type: string; metadata: Hex | null; subtype: string }
  }
  encodePointers: { args: { length: number; rows: RowsJson }; result: { bytes: Hex } }
  decodePointers: { args: { bytes: Hex }; result: { length: number; rows: RowsJson } }
  encodeTrieNode: {
    args: {
      seq: number
      key: string
      value: Hex | null
      flags: number
      hidden: boolean
      tableLength: number
      rows: RowsJson
    }
    result: { block: Hex }
  }
  decodeTrieNode: {
    args: { block: Hex }
    result: {
      key: string
      value: Hex | null
      flags: number
      hidden: boolean
      tableLength: number
      rows: RowsJson
    }
  }
  encodeMountRecord: {
    args: {
      key: Hex
      localPath: string
      version: number | null
      remotePath: string | null
      hash: Hex | null
    }
    result: { bytes: Hex }
  }
  decodeMountRecord: {
    args: { bytes: Hex }
    result: { key: Hex; localPath: string; version: number; remotePath: string; hash: Hex | null }
  }
  encodeTrieMessage: {
    args: { message: Readonly<Record<string, unknown>> }
    result: { bytes: Hex }
  }
  decodeTrieMessage: {
    args: { bytes: Hex }
    result: { message: Readonly<Record<string, unknown>> }
  }
  trie: {
    args: { calls: readonly TrieCall[]; queries: readonly TrieQuery[] }
    result: { appended: readonly (readonly Hex[])[]; answers: readonly unknown[] }
  }

  encodeStat: { args: { stat: StatJson }; result: { bytes: Hex } }
  decodeStat: { args: { bytes: Hex; now: number }; result: { stat: StatJson } }
  drivePath: { args: { name: string }; result: { key: string } }
  linkTarget: { args: { target: string }; result: { stored: string | null } }

  writeLog: {
    args: {
      folder: string
      publicKey: Hex
      secretKey: Hex
      batches: readonly (readonly Hex[])[]
      /** Ranges of blocks that are cleared at the end. */
      clear: readonly (readonly [number, number])[]
    }
    result: { length: number; byteLength: number }
  }
  writeDrive: {
    args: { folder: string; calls: readonly DriveCall[] }
    result: { key: Hex; contentKey: Hex; version: number }
  }
  readLog: {
    args: { folder: string }
    result: {
      key: Hex
      length: number
      byteLength: number
      writable: boolean
      blocks: readonly (Hex | null)[]
    }
  }
  readDrive: {
    args: { folder: string; key: Hex | null }
    result: {
      key: Hex
      version: number
      entries: readonly {
        path: string
        size: number
        linkname: string | null
        sha256: string | null
      }[]
    }
  }

  serve: { args: ServeArgs; result: { port: number } }
  serveDrive: { args: { folder: string; key: Hex | null }; result: { port: number } }
  dial: { args: { port: number }; result: null }
  state: {
    args: NoArguments
    result: {
      length: number
      byteLength: number
      /** Half-open runs of blocks that are held. */
      held: readonly (readonly [number, number])[]
      peers: number
      /** Extension messages that came: name and bytes. */
      messages: readonly (readonly [string, Hex])[]
    }
  }
  get: { args: { index: number }; result: { value: Hex } }
  seekLog: { args: { bytes: number }; result: { index: number; offset: number } }
  update: { args: NoArguments; result: { length: number } }
  append: { args: { blocks: readonly Hex[] }; result: null }
  clear: { args: { start: number; end: number }; result: null }
  download: { args: { start: number; end: number }; result: null }
  broadcast: { args: { name: string; message: Hex }; result: null }
  shut: { args: NoArguments; result: null }
}

/** A name of one. */
export type OperationName = keyof Operations
