/**
 * What a differential sequence may do to a drive, each as one call of the API that v10 and Varve share, with a result
 * in JSON. The forms of bytes, stats and rows are those of the drive vectors.
 *
 * @see test/vectors/drive/README.md, Operations
 */
'use strict'
const { createHash } = require('node:crypto')

/** Name of an operation to `(drive, args, step, scene)`. `drive` is a checkout when the step asks for one. */
const operations = {
  writeFile: (d, [name, data, o]) => nothing((f) => d.writeFile(name, data, o ?? {}, f)),
  writeStream,
  readFile,
  readStream: async (d, [name, o]) =>
    blob(Buffer.concat(await collect(d.createReadStream(name, o ?? {})))),
  create: (d, [name, o]) => stat((f) => d.create(name, o ?? {}, f)),
  mkdir: (d, [name, o]) => stat((f) => d.mkdir(name, o ?? {}, f)),
  symlink: (d, [target, name]) => stat((f) => d.symlink(target, name, f)),
  setMetadata: (d, [name, key, value]) => stat((f) => d.setMetadata(name, key, value, f)),
  removeMetadata: (d, [name, key]) => stat((f) => d.removeMetadata(name, key, f)),
  copy: (d, [from, to]) => stat((f) => d.copy(from, to, f)),
  stat: (d, [name, o]) => stat((f) => d.stat(name, o ?? {}, f)),
  lstat: (d, [name, o]) => stat((f) => d.lstat(name, o ?? {}, f)),
  unlink: (d, [name]) => nothing((f) => d.unlink(name, f)),
  rmdir: (d, [name]) => nothing((f) => d.rmdir(name, f)),
  truncate: (d, [name, size]) => nothing((f) => d.truncate(name, size, f)),
  access: (d, [name, o]) => nothing((f) => d.access(name, o ?? {}, f)),
  exists: (d, [name, o]) => new Promise((resolve) => d.exists(name, o ?? {}, resolve)),
  readlink: async (d, [name]) => (await called((f) => d.readlink(name, f))) ?? null,
  readdir,
  createTag: (d, [name, version]) =>
    version === undefined
      ? nothing((f) => d.createTag(name, f))
      : nothing((f) => d.createTag(name, version, f)),
  deleteTag: (d, [name]) => nothing((f) => d.deleteTag(name, f)),
  getTaggedVersion: async (d, [name]) => (await called((f) => d.getTaggedVersion(name, f))) ?? null,
  getAllTags: async (d) => [...(await called((f) => d.getAllTags(f)))],
  open,
  read,
  write,
  ftruncate: (d, [size], step, scene) =>
    nothing((f) => d.ftruncate(numberOf(step, scene), size, f)),
  close,
  diff,
  history,
  mount,
  unmount: (d, [name]) => nothing((f) => d.unmount(name, f)),
  info,
  getAllMounts,
  stats,
  version: (d) => d.version,
}

async function writeStream(drive, [name, chunks, options]) {
  const stream = drive.createWriteStream(name, options ?? {})
  await new Promise((resolve, reject) => {
    stream.on('error', reject)
    stream.on('finish', resolve)
    for (const chunk of chunks) stream.write(chunk)
    stream.end()
  })
  return null
}

async function readFile(drive, [name, options]) {
  const content = await called((f) => drive.readFile(name, options ?? {}, f))
  return typeof content === 'string' ? { text: content } : blob(content)
}

async function readdir(drive, [name, options]) {
  const listed = await called((f) => drive.readdir(name, options ?? {}, f))
  return listed.map((entry) => {
    if (typeof entry === 'string') return entry
    const { path, innerPath, mount } = entry
    return { name: entry.name, path, innerPath, mount: hex(mount.key), stat: record(entry.stat) }
  })
}

async function open(drive, [name, flags], { save }, scene) {
  const number = await called((f) => drive.open(name, flags, f))
  scene.descriptors.set(save, { number, drive, dirty: false })
  return number
}

/** The descriptor of a step; what was never opened, or is closed, is a number that nobody has. */
function numberOf({ fd }, scene) {
  return scene.descriptors.get(fd)?.number ?? 98
}

function read(drive, [size, at, length, position], step, scene) {
  const buffer = Buffer.alloc(size)
  return new Promise((resolve, reject) => {
    drive.read(numberOf(step, scene), buffer, at, length, position, (error, bytesRead) =>
      error ? reject(error) : resolve({ bytesRead, ...blob(buffer) }),
    )
  })
}

async function write(drive, [data, at, length, position], step, scene) {
  const written = await called((f) =>
    drive.write(numberOf(step, scene), data, at, length, position, f),
  )
  const descriptor = scene.descriptors.get(step.fd)
  if (descriptor) descriptor.dirty = true
  return written
}

async function close(drive, _, step, scene) {
  const number = numberOf(step, scene)
  scene.descriptors.delete(step.fd)
  return nothing((f) => drive.close(number, f))
}

async function diff(drive, [back, prefix]) {
  const stream = drive.createDiffStream(
    Math.max(1, drive.version - back),
    ...(typeof prefix === 'string' ? [prefix] : []),
  )
  return (await collect(stream)).map(({ type, name, seq, previous, value }) => ({
    type,
    name,
    seq: seq ?? null,
    previous: previous ? (previous.seq ?? {}) : null,
    value: value ? (type === 'put' ? record(value) : mountInfo(value)) : null,
  }))
}

async function history(drive, [options]) {
  const from = drive.createHistoryStream ? drive : drive.db
  return (await collect(from.createHistoryStream(options ?? {}))).map(({ type, node, info }) =>
    node
      ? { type, seq: node.seq, name: node.key, hidden: Boolean(node.hidden) }
      : { type, key: hex(info.key), localPath: info.localPath },
  )
}

function mount(drive, [name, key, options], { target, mountBack }, scene) {
  const { version } = scene.drives[target] ?? {}
  const fixed = mountBack === undefined ? {} : { version: Math.max(1, version - mountBack) }
  const mounted = target ? scene.drives[target].key : key
  return nothing((f) => drive.mount(name, mounted, { ...options, ...fixed }, f))
}

async function info(drive, [name]) {
  const found = await called((f) => drive.info(name, f))
  const { feed, mountPath } = found
  return { feed: hex(feed.key), mountPath, mountInfo: mountInfo(found.mountInfo) }
}

async function getAllMounts(drive, [options]) {
  const mounts = await called((f) => drive.getAllMounts(options ?? {}, f))
  return [...mounts].map(([path, { metadata, content }]) => [
    path,
    hex(metadata.key),
    hex(content?.key),
  ])
}

async function stats(drive, [name, options]) {
  const found = await called((f) =>
    // v10 takes none and an empty object for different things.
    options === undefined || options === null
      ? drive.stats(name, f)
      : drive.stats(name, options, f),
  )
  return found instanceof Map ? [...found] : found
}

function mountInfo({ key, localPath, remotePath, version }) {
  return { key: hex(key), localPath, remotePath, version }
}

/** A promise of what a function hands to its callback. */
function called(start) {
  return new Promise((resolve, reject) => {
    start((error, result) => (error ? reject(error) : resolve(result)))
  })
}

async function nothing(start) {
  await called(start)
  return null
}

async function stat(start) {
  return record(await called(start))
}

/** All that a stream gives, up to its end. */
function collect(stream) {
  return new Promise((resolve, reject) => {
    const rows = []
    stream.on('data', (row) => rows.push(row))
    stream.on('end', () => resolve(rows))
    stream.on('error', reject)
    stream.on('close', () => resolve(rows))
  })
}

/** A stat, as far as it can be compared. */
function record(of) {
  const { mode, uid, gid, size, blocks, offset, byteOffset, linkname, mount, metadata } = of
  return {
    mode,
    uid,
    gid,
    size,
    blocks,
    offset,
    byteOffset,
    times: [Number(of.mtime), Number(of.ctime), Number(of.atime)],
    linkname: linkname ?? null,
    mount: mount
      ? [hex(mount.key), mount.version ?? null, hex(mount.hash), Boolean(mount.hypercore)]
      : null,
    metadata: Object.entries(metadata ?? {}).map(([key, value]) => [
      key,
      value === null || value === undefined ? null : hex(Buffer.from(value)),
    ]),
    is: [of.isFile(), of.isDirectory(), of.isSymbolicLink()],
  }
}

/** Bytes in full up to 96 of them, by hash above. */
function blob(bytes) {
  if (bytes.length <= 96) return { hex: hex(bytes) }
  return { length: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') }
}

function hex(bytes) {
  return bytes ? Buffer.from(bytes).toString('hex') : null
}

module.exports = { operations, record, blob, hex, called }
