/** What one isolate was granted of one key and has not spent, for L2 and L3. */
export class Ledger {
  #leases: { left: number; readonly endMs: number; readonly version: number }[] = [];

  /** `endMs`: the true end of the lease. `version`: that of the windows for which it was asked. */
  add(permits: number, endMs: number, version: number): void {
    this.#leases.push({ left: permits, endMs, version });
  }

  /**
   * Takes permits for a request of windows of this version from leases of no older one that have not truly ended: first what
   * others could not use, then what ends first. False: not enough.
   */
  spend(cost: number, nowMs: number, version: number): boolean {
    let need = cost;
    const live = this.#leases.filter(({ left, endMs }) => left > 0 && endMs > nowMs);
    for (const lease of live.sort((a, b) => a.version - b.version || a.endMs - b.endMs)) {
      if (lease.version < version) continue;
      const part = Math.min(need, lease.left);
      lease.left -= part;
      need -= part;
    }
    this.#leases = live;
    return need === 0;
  }
}
