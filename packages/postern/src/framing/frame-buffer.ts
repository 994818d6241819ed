/**
 * Holds the pieces of a frame until it is whole, and joins them once.
 *
 * Large pieces are kept as they came. Small ones are copied into a block, since a peer that sends byte by byte would
 * otherwise cost a hundred times its bytes.
 */

const keptPieceBytes = 4 * 1024
const blockBytes = 16 * 1024
const headBytes = 128

export class FrameBuffer {
  #pieces: Buffer[] = []
  /** Bytes used of the last piece, when that is a block of ours; -1 when it is a piece as it came. */
  #blockUsed = -1
  #length = 0

  get length(): number {
    return this.#length
  }

  add(piece: Buffer): void {
    if (piece.length === 0) return
    this.#length += piece.length
    if (piece.length >= keptPieceBytes) {
      this.#closeBlock()
      this.#pieces.push(piece)
      return
    }
    if (this.#blockUsed < 0 || this.#blockUsed + piece.length > blockBytes) {
      this.#closeBlock()
      this.#pieces.push(Buffer.allocUnsafeSlow(blockBytes))
      this.#blockUsed = 0
    }
    this.#blockUsed += piece.copy(this.#pieces.at(-1) as Buffer, this.#blockUsed)
  }

  /** The first bytes, in one piece: at least 128, or all there are if fewer. */
  head(): Buffer {
    const first = this.#pieces[0]
    if (first === undefined) return Buffer.alloc(0)
    if (this.#pieces.length === 1) return this.#usedBlock() ?? first
    if (first.length >= headBytes) return first
    const head = Buffer.alloc(Math.min(headBytes, this.#length))
    let offset = 0
    for (const piece of this.#pieces) {
      if (offset === head.length) break
      offset += piece.copy(head, offset)
    }
    return head
  }

  /** All bytes with `last` behind them, as one buffer; the frame buffer is empty afterwards. */
  take(last: Buffer): Buffer {
    if (this.#length === 0) return last
    const whole = Buffer.allocUnsafeSlow(this.#length + last.length)
    let offset = 0
    for (const piece of this.takePieces()) offset += piece.copy(whole, offset)
    last.copy(whole, offset)
    return whole
  }

  /** The pieces themselves; the frame buffer is empty afterwards. */
  takePieces(): Buffer[] {
    const pieces = this.#pieces
    const block = this.#usedBlock()
    if (block !== undefined) pieces[pieces.length - 1] = block
    this.#pieces = []
    this.#blockUsed = -1
    this.#length = 0
    return pieces
  }

  /**
   * Begins no more in the last block. What it has left is given back, where that is most of it: small pieces between
   * large ones would else cost a block each.
   */
  #closeBlock(): void {
    const block = this.#usedBlock()
    if (block === undefined) return
    this.#pieces[this.#pieces.length - 1] = block.length > blockBytes / 2 ? block : Buffer.from(block)
    this.#blockUsed = -1
  }

  /** What is used of the last piece, when that is a block of ours. */
  #usedBlock(): Buffer | undefined {
    return this.#blockUsed < 0 ? undefined : this.#pieces.at(-1)?.subarray(0, this.#blockUsed)
  }
}
