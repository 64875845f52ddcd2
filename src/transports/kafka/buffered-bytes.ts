/** Counts bytes that wait for acknowledgement and signals when there is room for more. */
export class BufferedBytes {
  #bytes = 0;
  readonly #waiting: { readonly below: number; readonly resolve: () => void }[] = [];

  add(bytes: number): void {
    this.#bytes += bytes;
  }

  remove(bytes: number): void {
    this.#bytes -= bytes;
    for (let i = 0; i < this.#waiting.length; ) {
      const { below, resolve } = this.#waiting[i]!;
      if (this.#bytes < below) {
        this.#waiting.splice(i, 1);
        resolve();
      } else i++;
    }
  }

  /** Resolves when fewer bytes than that are left. */
  room(below: number): Promise<void> {
    if (this.#bytes < below) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ below, resolve }));
  }
}
