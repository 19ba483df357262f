/** Makes room for one more: forgets the entry that came first when there are `max` or more. O(1). */
export function makeRoom<K>(map: Map<K, unknown>, max: number): void {
  if (map.size < max) return;
  for (const first of map.keys()) {
    map.delete(first);
    return;
  }
}
