/**
 * Folders of every kind that a drive leaves behind, made by Varve, for readers that are not Varve.
 *
 * @module
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Drive, Store, type DriveOptions } from '../../src/index.ts'
import { signingKeyPair } from '../../src/crypto.ts'

/** A folder to make, and what a reader is told about it. */
export interface Made {
  /** The drive's key, where the folder alone does not say which of its drives is meant. */
  readonly key?: Uint8Array
  readonly version?: number
  /** Whether blocks that the list needs are absent. */
  readonly missing?: boolean
}

type Recipe = (folder: string) => Promise<Made | void>

/** Make one drive in the folder, and close it. */
async function made(
  folder: string,
  fill: (drive: Drive) => PromiseLike<unknown>,
  options: DriveOptions = {},
): Promise<void> {
  const drive = new Drive(folder, null, options)
  await drive.ready()
  await fill(drive)
  await drive.close()
}

/** Make drives that share the store of the folder. Gives the key of the first. */
async function several(
  folder: string,
  count: number,
  fill: (drives: readonly Drive[], store: Store) => Promise<unknown>,
): Promise<Made> {
  const store = new Store(folder)
  await store.ready()
  const drives = Array.from(
    { length: count },
    (_, i) => new Drive(store, null, { namespace: `n${i}` }),
  )
  await Promise.all(drives.map((drive) => drive.ready()))
  await fill(drives, store)
  const key = drives[0]?.key
  await Promise.all(drives.map((drive) => drive.close()))
  await store.close()
  if (!key) throw new Error('want a drive')
  return { key }
}

/** Clone a drive of three files into the folder, and do something with it while it is connected. */
async function cloned(
  folder: string,
  use: (clone: Drive, source: Drive) => PromiseLike<unknown>,
  options: DriveOptions = {},
): Promise<void> {
  const source = new Drive(join(folder, '..', 'source'))
  await source.ready()
  for (let i = 0; i < 12; i++) {
    // oxlint-disable-next-line no-await-in-loop -- in this order
    await source.writeFile(`/d${i % 3}/f${i}`, Buffer.alloc(100 * i, `${i}`))
  }
  await source.writeFile('/large', Buffer.alloc(1_200_000, 'large'))
  const clone = new Drive(folder, source.key, options)
  await clone.ready()
  const [left, right] = [
    source.replicate(true, { live: true }),
    clone.replicate(false, { live: true }),
  ]
  left.pipe(right).pipe(left)
  await use(clone, source)
  left.destroy()
  right.destroy()
  await clone.close()
  await source.close()
}

/** Numbers from a seed, the same in every run. */
function numbers(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    return (state >>> 8) % below
  }
}

/** Writes, removals, folders and links at random places. */
async function anything(drive: Drive, seed: number, steps: number): Promise<void> {
  const next = numbers(seed)
  for (let i = 0; i < steps; i++) {
    const path = `/${['a', 'b', 'ü', 'a b'][next(4)]}/${next(6)}`
    const kind = next(8)
    /* oxlint-disable no-await-in-loop -- one after the other */
    if (kind < 4) await drive.writeFile(path, Buffer.alloc(next(3000), `${i}`))
    else if (kind < 6) await drive.unlink(path).catch(expected)
    else if (kind < 7) await drive.mkdir(`${path}-d`).catch(expected)
    else await drive.symlink(path, `${path}-l`).catch(expected)
    /* oxlint-enable no-await-in-loop */
  }
}

function expected(error: unknown): void {
  const code = error instanceof Error && 'code' in error ? error.code : null
  if (code !== 'ENOENT' && code !== 'EEXIST') throw error
}

const pair = signingKeyPair(new Uint8Array(32).fill(7))

/** Every folder by its name, which ends the sentence "the reader agrees on". */
export const recipes: Readonly<Record<string, Recipe>> = {
  'an empty drive': (folder) => made(folder, () => Promise.resolve()),

  'a drive of one file': (folder) =>
    made(folder, (drive) => drive.writeFile('/hello.txt', 'world')),

  'files without bytes': (folder) =>
    made(folder, async (drive) => {
      await drive.writeFile('/empty', '')
      await drive.create('/created')
      await drive.writeFile('/one', 'x')
    }),

  'five hundred files of one batch': (folder) =>
    made(folder, (drive) =>
      drive.batch(async (batch) => {
        // oxlint-disable-next-line no-await-in-loop -- as a program would
        for (let i = 0; i < 500; i++) await batch.writeFile(`/n/${i % 7}/${i}`, `file ${i}`)
      }),
    ),

  'deep folders, explicit and implied': (folder) =>
    made(folder, async (drive) => {
      await drive.mkdir('/explicit')
      await drive.mkdir('/explicit/inside', { mode: 0o700 })
      await drive.writeFile('/a/b/c/d/e/f/g/h/i/j/k/l/m/n/deep', 'deep')
      await drive.writeFile('/a/b/c/shallow', 'shallow')
    }),

  'files written again and again': (folder) =>
    made(folder, async (drive) => {
      // oxlint-disable-next-line no-await-in-loop -- in this order
      for (let i = 0; i < 30; i++) await drive.writeFile(`/f${i % 4}`, `version ${i}`)
    }),

  'files that were removed': (folder) =>
    made(folder, async (drive) => {
      // oxlint-disable-next-line no-await-in-loop -- in this order
      for (let i = 0; i < 20; i++) await drive.writeFile(`/d/${i}`, `${i}`)
      // oxlint-disable-next-line no-await-in-loop -- in this order
      for (let i = 0; i < 20; i += 3) await drive.unlink(`/d/${i}`)
    }),

  'a drive whose last file was removed': (folder) =>
    made(folder, async (drive) => {
      await drive.writeFile('/only', 'one')
      await drive.unlink('/only')
    }),

  'links: to files, to folders, broken, in a circle': (folder) =>
    made(folder, async (drive) => {
      await drive.writeFile('/d/file', 'file')
      await drive.symlink('/d/file', '/to-file')
      await drive.symlink('d', '/to-folder')
      await drive.symlink('../nowhere', '/d/broken')
      await drive.symlink('/round', '/round')
    }),

  'a file of many blocks': (folder) =>
    made(folder, (drive) => drive.writeFile('/large', Buffer.alloc(3_333_333, 'large'))),

  'names of every kind': (folder) =>
    made(folder, async (drive) => {
      const names = [
        '/ü ñ/日本語 🎉',
        '/a\u0000b',
        '/line\nbreak',
        '/é',
        '/e\u0301',
        '/..x',
        `/${'long'.repeat(500)}`,
      ]
      // oxlint-disable-next-line no-await-in-loop -- in this order
      for (const name of names) await drive.writeFile(name, name)
    }),

  'names whose hashes collide': (folder) =>
    made(folder, async (drive) => {
      for (const name of ['idgcmnmna', 'mpomeiehc']) {
        // oxlint-disable-next-line no-await-in-loop -- in this order
        await drive.writeFile(`/${name}`, name)
        // oxlint-disable-next-line no-await-in-loop -- in this order
        await drive.writeFile(`/d/${name}/x`, name)
      }
    }),

  'metadata, modes and times': (folder) =>
    made(folder, async (drive) => {
      const metadata = { icon: Buffer.from('svg'), '10': Buffer.from('ten'), none: Buffer.alloc(0) }
      await drive.writeFile('/f', 'f', { metadata, mode: 0o600, mtime: 1_234_567_890_123 })
      await drive.setMetadata('/f', 'late', Buffer.from('x'))
      await drive.removeMetadata('/f', 'icon')
    }),

  'tags, at an old version': async (folder) => {
    await made(folder, async (drive) => {
      await drive.writeFile('/f', 'old')
      await drive.createTag('first')
      await drive.writeFile('/f', 'new')
      await drive.writeFile('/g', 'g')
      await drive.unlink('/f')
    })
    return { version: 3 }
  },

  'a file written and cut through descriptors': (folder) =>
    made(folder, async (drive) => {
      const fd = await drive.open('/f', 'w')
      // oxlint-disable-next-line no-await-in-loop -- in this order
      for (let i = 0; i < 9; i++)
        await drive.write(fd, Buffer.alloc(20_000, `${i}`), 0, 20_000, null)
      await drive.close(fd)
      await drive.appendFile('/f', 'tail')
      await drive.truncate('/f', 150_001)
      await drive.truncate('/f', 200_000)
      await drive.truncate('/new', 5)
    }),

  'writes in the middle of a file': (folder) =>
    made(folder, async (drive) => {
      await drive.writeFile('/f', Buffer.alloc(1_000_000, 'a'))
      const fd = await drive.open('/f', 'r+')
      await drive.write(fd, Buffer.from('middle'), 0, 6, 600_000)
      await drive.close(fd)
    }),

  'copies, renamed and shared content': (folder) =>
    made(
      folder,
      async (drive) => {
        await drive.writeFile('/f', Buffer.alloc(5000, 'f'))
        await drive.copy('/f', '/copy')
        await drive.rename('/copy', '/renamed')
        await drive.writeFile('/again', Buffer.alloc(5000, 'f'))
      },
      { deduplicate: true },
    ),

  'a folder of the system, imported': async (folder) => {
    const from = join(folder, '..', 'from')
    mkdirSync(join(from, 'deep'), { recursive: true })
    for (let i = 0; i < 40; i++) writeFileSync(join(from, 'deep', `${i}`), Buffer.alloc(i * 300, i))
    writeFileSync(join(from, 'top'), 'top')
    await made(folder, (drive) => drive.importDirectory(from, '/imported'))
  },

  'content that was cleared': async (folder) => {
    await made(folder, async (drive) => {
      await drive.writeFile('/here', Buffer.alloc(10_000, 'here'))
      await drive.writeFile('/gone', Buffer.alloc(10_000, 'gone'))
      await drive.writeFile('/tail', 'tail')
      await drive.clear('/gone')
    })
    return { missing: true }
  },

  'a key pair of our own': (folder) =>
    made(folder, (drive) => drive.writeFile('/f', 'f'), { keyPair: pair }),

  'a sparse clone that read two files': async (folder) => {
    await cloned(folder, async (clone) => {
      await clone.readFile('/d0/f3')
      await clone.readFile('/d1/f7')
    })
    return { missing: true }
  },

  'a clone that only listed': async (folder) => {
    await cloned(folder, (clone) => clone.readdir('/', { recursive: true }))
    return { missing: true }
  },

  'a clone that took versions one by one': async (folder) => {
    await cloned(folder, async (clone, source) => {
      for (let i = 0; i < 6; i++) {
        /* oxlint-disable no-await-in-loop -- in this order */
        await clone.readFile(`/d0/f${3 * (i % 4)}`)
        await source.writeFile(`/late/${i}`, `${i}`)
        await clone.metadata?.update({ minLength: source.version })
        await clone.readFile(`/late/${i}`)
        /* oxlint-enable no-await-in-loop */
      }
    })
    return { missing: true }
  },

  'a clone with all of it': (folder) =>
    cloned(folder, (clone) => clone.download('/'), { sparse: false, sparseMetadata: false }),

  'mounts, one inside the other, one of a fixed version': (folder) =>
    several(folder, 3, async ([outer, inner, innermost]) => {
      if (!outer || !inner?.key || !innermost?.key) throw new Error('want drives')
      await innermost.writeFile('/bottom', 'bottom')
      await inner.writeFile('/first', 'first')
      await inner.mount('/deeper', innermost.key)
      await outer.writeFile('/top', 'top')
      await outer.mount('/m/inner', inner.key)
      await outer.mount('/old', inner.key, { version: 2 })
      await outer.writeFile('/m/inner/through', 'written through the mount')
    }),

  'a mount of a drive that is elsewhere': async (folder) => {
    await made(folder, async (drive) => {
      await drive.writeFile('/top', 'top')
      await drive.mount('/m', pair.publicKey)
      await drive.mount('/n', pair.publicKey)
      await drive.unmount('/n')
    })
    return { missing: true }
  },

  'a plain log mounted as a file': (folder) =>
    several(folder, 1, async ([outer], store) => {
      const log = store.get({ name: 'plain' })
      await log.append([Buffer.from('one'), Buffer.from('two'), Buffer.alloc(0)])
      if (!outer || !log.key) throw new Error('want a drive and a log')
      await outer.writeFile('/top', 'top')
      await outer.mount('/log', log.key, { hypercore: true })
    }),

  ...Object.fromEntries(
    [1, 2, 3].map((seed) => [
      `whatever seed ${seed} gives`,
      (folder: string) => made(folder, (drive) => anything(drive, seed, 80)),
    ]),
  ),
}
