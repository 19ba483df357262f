/** What one isolate was granted of one key and has not spent, for L2 and L3. */
export class Ledger {
  #leases: { left: number; readonly endMs: number }[] = [];

  /** `endMs`: the true end of the lease. */
  add(permits: number, endMs: number): void {
    this.#leases.push({ left: permits, endMs });
  }

  /** Takes permits from the leases that have not truly ended, the one that ends first before others; false: not enough. */
  spend(cost: number, nowMs: number): boolean {
    let need = cost;
    const live = this.#leases.filter(({ left, endMs }) => left > 0 && endMs > nowMs);
    for (const lease of live.sort((a, b) => a.endMs - b.endMs)) {
      const part = Math.min(need, lease.left);
      lease.left -= part;
      need -= part;
    }
    this.#leases = live;
    return need === 0;
  }
}
