/** How the demo prints: who, what, and how long it took. */

/** One line of a process; `start` (ms) adds the time since then at its end. */
export function line(who, text, start) {
  const time = start === undefined ? '' : `  ${duration(performance.now() - start)}`
  console.log(`${who.padEnd(2)} ${text}${time}`)
}

/** A number of bytes with its unit. */
export function bytes(count) {
  if (count < 1024) return `${count} B`
  if (count < 1024 * 1024) return `${(count / 1024).toFixed(1)} KiB`
  return `${(count / 1024 / 1024).toFixed(1)} MiB`
}

/** A bar of 20 squares, filled as far as `share` (0 to 1) says. */
export function bar(share) {
  const full = Math.round(share * 20)
  return `${'█'.repeat(full)}${'░'.repeat(20 - full)} ${String(Math.floor(share * 100)).padStart(3)} %`
}

/** A time in ms or s. */
export function duration(ms) {
  return ms < 1000 ? `${ms.toFixed(ms < 10 ? 1 : 0)} ms` : `${(ms / 1000).toFixed(1)} s`
}
