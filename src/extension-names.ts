/**
 * How the two ends of a connection number extensions: each by its own sorted list of names.
 *
 * @see spec/20-wire.md 2.8 and 3.11
 * @module
 */

/** Names in the order that numbers them: ascending by UTF-16 code units, so `Z` comes before `a`. */
export function sortNames(names: Iterable<string>): string[] {
  return [...names].toSorted(byCodeUnits)
}

/**
 * For each number of the remote, our name for it, or null when we have no such extension.
 *
 * Both lists are walked once, as every implementation does: in a remote list that is not sorted, names
 * out of order are not found.
 *
 * @param local - our names, sorted
 * @param remote - the remote's list, as received
 */
export function matchNames(
  local: readonly string[],
  remote: readonly string[],
): readonly (string | null)[] {
  let at = 0
  let own = local[at]
  return remote.map((name) => {
    while (own !== undefined && byCodeUnits(own, name) < 0) own = local[++at]
    return own === name ? name : null
  })
}

function byCodeUnits(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
