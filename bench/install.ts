/**
 * Today's successors of v10, for `--peers`: installed beside v10 into the folder that git ignores, at
 * pinned versions. The project depends on none of them. Hypercore is the latest whose own dependencies
 * every registry has.
 */
import { installPinned } from '../test/interop/install.ts'

/** Install them once. Returns the folder with the `node_modules`. */
export function installPeers(): string {
  return installPinned('h13', {
    name: 'peers-to-measure',
    dependencies: { corestore: '7.9.2', hyperdrive: '13.3.4' },
    overrides: { hypercore: '11.37.1' },
  })
}
