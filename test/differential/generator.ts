/**
 * Random sequences of operations on drives: mostly valid, some of them not, nothing but a seed in them.
 *
 * The generator keeps a rough picture of what is there, so that most operations find something. Two things it never
 * makes, because v10 answers them with an endless loop that starves its own process: a cycle of links (links have
 * names of their own, `l0`, `l1`, …, and lead to earlier ones or to what is no link) and a cycle of mounts.
 *
 * @module
 */
import { absolute } from '../../src/drive/paths.ts'
import { Chance } from '../torture/chance.ts'
import { Names } from './names.ts'
import { Descriptors } from './descriptors.ts'
import { emptyPicture, linkName, type Picture } from './picture.ts'
import type { DriveName, Step } from './step.ts'
import { maybeOneOf, oneOf, Values } from './values.ts'

/** Most entries that a drive gets. */
const MAX_ENTRIES = 200

type Maker = () => Step | null

/** Makes the steps of one sequence. */
export class Generator {
  readonly #chance: Chance
  readonly #names: Names
  readonly #pictures: Readonly<Record<DriveName, Picture>> = {
    main: emptyPicture(),
    one: emptyPicture(),
    two: emptyPicture(),
  }
  readonly #values: Values
  readonly #descriptors: Descriptors
  readonly #everMounted: { drive: DriveName; path: string; target: DriveName }[] = []
  readonly #linksInMain: boolean
  readonly #makers: readonly (readonly [number, Maker])[]
  #drive: DriveName = 'main'

  constructor(seed: number) {
    this.#chance = new Chance(seed, 77)
    this.#names = new Names(this.#chance)
    this.#values = new Values(this.#chance)
    this.#descriptors = new Descriptors(this.#chance, this.#values)
    this.#linksInMain = this.#chance.coin(0.8)
    this.#makers = [
      [14, () => this.#writeFile()],
      [4, () => this.#writeStream()],
      [3, () => this.#changing('create', [this.#some(), this.#values.statOptions()])],
      [6, () => this.#mkdir()],
      [6, () => this.#remove('unlink')],
      [4, () => this.#remove('rmdir')],
      [5, () => this.#symlink()],
      [4, () => this.#setMetadata()],
      [2, () => this.#changing('removeMetadata', [this.#known(), this.#values.metadataKey()])],
      [3, () => this.#copy()],
      [3, () => this.#truncate()],
      [3, () => this.#createTag()],
      [1, () => this.#changing('deleteTag', [this.#tag()])],
      [1, () => this.#reading('getTaggedVersion', [this.#tag()])],
      [1, () => this.#reading('getAllTags', [])],
      [
        5,
        () => this.#withDrive(this.#descriptors.openFile(this.#picture.files, () => this.#any())),
      ],
      [5, () => this.#withDrive(this.#descriptors.read())],
      [7, () => this.#withDrive(this.#descriptors.write())],
      [1, () => this.#withDrive(this.#descriptors.ftruncate())],
      [5, () => this.#withDrive(this.#descriptors.close())],
      [3, () => this.#mount()],
      [1, () => this.#unmount()],
      [6, () => this.#reading('readFile', [this.#known(), this.#values.encoding()])],
      [5, () => this.#readStream()],
      [4, () => this.#reading('stat', [this.#any()])],
      [4, () => this.#reading('lstat', [this.#any()])],
      [2, () => this.#reading('access', [this.#any()])],
      [3, () => this.#reading('exists', [this.#any()])],
      [2, () => this.#reading('readlink', [this.#any()])],
      [8, () => this.#reading('readdir', [this.#folder(), this.#values.listOptions()])],
      [4, () => this.#reading('diff', this.#diffArguments())],
      [2, () => this.#reading('history', [this.#values.historyOptions()])],
      [2, () => this.#reading('info', [this.#any()])],
      [1, () => this.#reading('getAllMounts', [this.#oneOf([undefined, { recursive: true }])])],
      [
        3,
        () =>
          this.#reading('stats', [this.#any(), this.#oneOf([undefined, {}, { recursive: false }])]),
      ],
      [1, () => this.#reading('version', [])],
    ]
  }

  /** The next `count` steps. */
  steps(count: number): Step[] {
    const total = this.#makers.reduce((sum, [weight]) => sum + weight, 0)
    const steps: Step[] = []
    while (steps.length < count) {
      this.#drive = this.#chance.pick([
        'main',
        'main',
        'main',
        'main',
        'main',
        'main',
        'one',
        'two',
      ])
      let at = this.#chance.below(total)
      const maker = this.#makers.find(([weight]) => (at -= weight) < 0)
      const step = maker?.[1]() ?? null
      if (step) steps.push(step)
    }
    return [...steps, ...this.#descriptors.closing()]
  }

  get #picture(): Picture {
    return this.#pictures[this.#drive]
  }

  #oneOf<T>(list: readonly T[]): T {
    return oneOf(this.#chance, list)
  }

  #withDrive<Made extends Step | null>(step: Made): Made {
    return step === null || this.#drive === 'main' ? step : { ...step, drive: this.#drive }
  }

  #changing(op: string, args: readonly unknown[], more: Partial<Step> = {}): Step | null {
    if (this.#size() >= MAX_ENTRIES && op !== 'unlink') return null
    const look = args.filter((each) => typeof each === 'string').slice(-1)
    return this.#withDrive({ op, args, ...(look.length > 0 && { look }), ...more })
  }

  #reading(op: string, args: readonly unknown[]): Step {
    const back = this.#chance.coin(0.25) ? { back: this.#chance.below(40) } : {}
    return this.#withDrive({ op, args, ...back })
  }

  #size(): number {
    return Object.values(this.#pictures).reduce(
      (sum, { files, folders, links }) => sum + files.size + folders.size + links.size,
      0,
    )
  }

  /** A path to make something at, not below a link: mostly a new one. */
  #some(): string {
    const path = this.#somewhere()
    return /(?:^|[/\\])l\d[/\\]/u.test(path) ? this.#names.path() : path
  }

  #somewhere(): string {
    if (this.#chance.coin(0.15)) return this.#known()
    if (this.#chance.coin(0.15)) return this.#belowMount() ?? this.#names.path()
    return this.#names.path(this.#oneOf([...this.#picture.folders]))
  }

  #belowMount(): string | null {
    const [path] = this.#chance.shuffle([...this.#picture.mounts.keys()])
    return path === undefined ? null : this.#names.below(path)
  }

  /** A path at which something should be, in one of its spellings. */
  #known(): string {
    const { files, folders, links, mounts } = this.#picture
    const kinds = [
      [...files.keys()],
      [...files.keys()],
      [...folders],
      [...links.keys()].map(linkName),
      [...mounts.keys()],
    ]
    const [kind] = this.#chance.shuffle(kinds.filter((each) => each.length > 0))
    return kind ? this.#names.spell(this.#chance.pick(kind)) : this.#names.path()
  }

  #knownFile(): string {
    const files = [...this.#picture.files.keys()]
    return files.length === 0 || this.#chance.coin(0.2)
      ? this.#any()
      : this.#names.spell(this.#oneOf(files))
  }

  /** Any path at all, also the root and odd ones. */
  #any(): string {
    if (this.#chance.coin(0.08)) return this.#names.odd()
    if (this.#chance.coin(0.1)) return this.#belowMount() ?? this.#known()
    return this.#chance.coin(0.75) ? this.#known() : this.#names.path()
  }

  #folder(): string {
    if (this.#chance.coin(0.3)) return this.#oneOf(['/', '', '/', '//'])
    const path = this.#any()
    const up = path.lastIndexOf('/')
    return this.#chance.coin(0.5) && up > 0 ? path.slice(0, up) : path
  }

  #writeFile(): Step | null {
    if (this.#descriptors.locked) return null
    const path = this.#some()
    const text = this.#chance.coin(0.2)
    const data = text ? this.#oneOf(['', 'text', 'ünï \ud83d\ude00']) : this.#values.bytes()
    const options = this.#values.statOptions()
    if (text && options && this.#chance.coin(0.3))
      options['encoding'] = this.#oneOf(['utf8', 'latin1', 'hex'])
    this.#wrote(path, typeof data === 'string' ? data.length : (data as { length: number }).length)
    return this.#changing('writeFile', [path, data, options], { look: [path] })
  }

  #wrote(path: string, size: number): void {
    const link = /^\/?l\d$/u.test(path)
    if (!link) this.#picture.files.set(path, size)
  }

  #writeStream(): Step | null {
    if (this.#descriptors.locked) return null
    const path = this.#some()
    const chunks = Array.from({ length: this.#chance.below(6) }, () => this.#values.bytes())
    this.#wrote(
      path,
      chunks.reduce<number>((sum, each) => sum + (each as { length: number }).length, 0),
    )
    return this.#changing('writeStream', [path, chunks, this.#values.statOptions()])
  }

  #mkdir(): Step | null {
    if (this.#descriptors.locked) return null
    const path = this.#some()
    this.#picture.folders.add(path)
    const options = this.#chance.coin(0.2)
      ? this.#oneOf([0o700, 0, 0o1777])
      : this.#values.statOptions()
    return this.#changing('mkdir', [path, options], { look: [path] })
  }

  #remove(op: 'unlink' | 'rmdir'): Step | null {
    const { files, folders, links } = this.#picture
    const folder = op === 'rmdir' ? 0.85 : 0.02
    const pool = this.#chance.coin(folder)
      ? [...folders]
      : [...files.keys(), ...[...links.keys()].map(linkName)]
    const path = pool.length === 0 || this.#chance.coin(0.05) ? this.#any() : this.#oneOf(pool)
    files.delete(path)
    if (op === 'unlink') {
      const link = /^l(\d)$/u.exec(path)
      if (link) links.delete(Number(link[1]))
    } else if (![...files.keys()].some((each) => each.startsWith(`${path}/`))) {
      folders.delete(path)
    }
    return this.#changing(op, [path])
  }

  #symlink(): Step | null {
    // In `main`, or in what is mounted there: v10 shows links below a followed link by other names.
    if ((this.#drive === 'main') !== this.#linksInMain) return null
    const { files, folders, links, mounts } = this.#picture
    const number = this.#chance.below(8)
    const earlier = [...links.keys()].filter((each) => each < number).map(linkName)
    const targets = [
      [...files.keys()],
      [...folders],
      earlier,
      [...mounts.keys()],
      [this.#names.path()],
    ]
    const [kind = []] = this.#chance.shuffle(targets.filter((each) => each.length > 0))
    const target = maybeOneOf(this.#chance, kind)
    // What contains a link, or could, must not be the target of one.
    if (
      target === undefined ||
      !/[^/\\.]/u.test(target) ||
      /^\W*l\d\W*$/u.test(target) !== earlier.includes(target)
    )
      return null
    if (!links.has(number)) links.set(number, target)
    return this.#changing('symlink', [
      this.#linksInMain ? this.#names.spell(target) : target,
      linkName(number),
    ])
  }

  #setMetadata(): Step | null {
    return this.#changing(
      'setMetadata',
      [this.#known(), this.#values.metadataKey(), this.#values.metadataValue()],
      {
        look: [],
      },
    )
  }

  #copy(): Step | null {
    const from = this.#knownFile()
    const to = this.#some()
    if (/l\d/u.test(to)) return null
    this.#wrote(to, this.#picture.files.get(from) ?? 0)
    return this.#changing('copy', [from, to])
  }

  #truncate(): Step | null {
    if (this.#descriptors.locked) return null
    const path = this.#chance.coin(0.95)
      ? maybeOneOf(this.#chance, [...this.#picture.files.keys()])
      : this.#any()
    if (path === undefined) return null
    const size = this.#picture.files.get(path) ?? 0
    const to = this.#oneOf([
      size,
      size,
      Math.floor(size / 2),
      size + 10,
      size - 1,
      this.#chance.coin(0.1) ? 0 : 1,
    ])
    if (this.#picture.files.has(path)) this.#picture.files.set(path, Math.max(0, to))
    return this.#changing('truncate', [path, Math.max(0, to)], { look: [path] })
  }

  #tag(): string {
    const tags = [...this.#picture.tags]
    return tags.length > 0 && this.#chance.coin(0.7)
      ? this.#oneOf(tags)
      : this.#oneOf(['v1', 'a/b', '/s/', 'ü', 'x'.repeat(50)])
  }

  #createTag(): Step | null {
    const name = this.#tag()
    this.#picture.tags.add(name)
    const version = this.#oneOf([undefined, undefined, 0, 1, 5, 300])
    return this.#changing('createTag', version === undefined ? [name] : [name, version], {
      look: [],
    })
  }

  #mount(): Step | null {
    const target = this.#drive === 'main' ? this.#oneOf(['one', 'two'] as const) : 'two'
    if (this.#drive === 'two') return null
    if (this.#chance.coin(0.03))
      return this.#changing('mount', [this.#names.path(), { hex: '0011' }], { look: [] })
    const path = this.#chance.coin(0.97) ? this.#names.path() : this.#known()
    const owner = this.#ownerOf(this.#drive, absolute(path, true))
    if (/l\d/u.test(path) || owner === 'two' || owner === target) return null
    this.#everMounted.push({ drive: this.#drive, path: absolute(path, true), target })
    const options = this.#oneOf([undefined, undefined, { uid: 5, gid: 6 }])
    // A version that is not there yet would be waited for.
    // v10 reads a mount inside it at that same number, and may wait for it.
    const isFixed = target === 'two' && this.#chance.coin(0.3)
    const mountBack = isFixed ? { mountBack: this.#chance.below(5) } : {}
    this.#picture.mounts.set(path, target)
    return this.#changing('mount', [path, null, options], { target, look: [path], ...mountBack })
  }

  /** The drive that a path lies in, also if one of the mounts on the way should be gone. */
  #ownerOf(drive: DriveName, path: string): DriveName {
    for (const each of this.#everMounted) {
      if (each.drive !== drive || !path.startsWith(`${each.path}/`)) continue
      const owner = this.#ownerOf(each.target, path.slice(each.path.length))
      if (owner === 'two') return owner
    }
    const below = this.#everMounted.some(
      (each) => each.drive === drive && path.startsWith(`${each.path}/`),
    )
    return below ? 'one' : drive
  }

  #unmount(): Step | null {
    const mounts = [...this.#picture.mounts.keys()]
    const path = mounts.length > 0 && this.#chance.coin(0.9) ? this.#oneOf(mounts) : this.#any()
    this.#picture.mounts.delete(path)
    return this.#changing('unmount', [path])
  }

  #readStream(): Step {
    const path = this.#knownFile()
    const size = this.#picture.files.get(path)
    const range = size === undefined ? {} : this.#values.range(size)
    return this.#withDrive({ op: 'readStream', args: [path, range] })
  }

  #diffArguments(): unknown[] {
    const back = this.#chance.below(50)
    return this.#chance.coin(0.6) ? [back] : [back, this.#folder()]
  }
}
