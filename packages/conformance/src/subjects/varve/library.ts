/**
 * The Varve under test: the one that the kit depends on, or another build of it.
 *
 * @module
 */
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type * as root from 'varve'
import type * as crypto from 'varve/crypto'
import type * as merkle from 'varve/merkle'
import type * as storage from 'varve/storage'
import type * as log from 'varve/log'
import type * as wire from 'varve/wire'
import type * as trie from 'varve/trie'
import type * as store from 'varve/store'

/** Its entries. */
export interface Library {
  readonly root: typeof root
  readonly crypto: typeof crypto
  readonly merkle: typeof merkle
  readonly storage: typeof storage
  readonly log: typeof log
  readonly wire: typeof wire
  readonly trie: typeof trie
  readonly store: typeof store
}

/** @param dist - folder of another build; left out: the installed one */
export async function loadLibrary(dist: string | undefined): Promise<Library> {
  const at = (name: string): string => {
    if (dist === undefined) return name === 'index' ? 'varve' : `varve/${name}`
    const file = name === 'index' || name === 'crypto' ? `${name}.js` : `${name}/index.js`
    return pathToFileURL(join(dist, file)).href
  }
  return {
    root: (await import(at('index'))) as Library['root'],
    crypto: (await import(at('crypto'))) as Library['crypto'],
    merkle: (await import(at('merkle'))) as Library['merkle'],
    storage: (await import(at('storage'))) as Library['storage'],
    log: (await import(at('log'))) as Library['log'],
    wire: (await import(at('wire'))) as Library['wire'],
    trie: (await import(at('trie'))) as Library['trie'],
    store: (await import(at('store'))) as Library['store'],
  }
}
