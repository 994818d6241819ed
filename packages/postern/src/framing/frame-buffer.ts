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
    let block = this.#pieces.at(-1)
    if (block === undefined || this.#blockUsed < 0 || this.#blockUsed + piece.length > block.length) {
      this.#closeBlock()
      block = Buffer.allocUnsafeSlow(blockBytes)
      this.#pieces.push(block)
      this.#blockUsed = 0
    }
    piece.copy(block, this.#blockUsed)
    this.#blockUsed += piece.length
  }

  /** The first bytes, in one piece: at least 128, or all there are if fewer. */
  head(): Buffer {
    const first = this.#pieces[0]
    if (first === undefined) return Buffer.alloc(0)
    if (this.#pieces.length === 1) return this.#blockUsed < 0 ? first : first.subarray(0, this.#blockUsed)
    if (first.length >= headBytes) return first
    const head = Buffer.alloc(Math.min(headBytes, this.#length))
    let offset = 0
    for (const piece of this.#pieces) offset += piece.copy(head, offset)
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
    this.#closeBlock()
    const pieces = this.#pieces
    this.#pieces = []
    this.#length = 0
    return pieces
  }

  #closeBlock(): void {
    const block = this.#pieces.at(-1)
    if (block !== undefined && this.#blockUsed >= 0) this.#pieces[this.#pieces.length - 1] = block.subarray(0, this.#blockUsed)
    this.#blockUsed = -1
  }
}
