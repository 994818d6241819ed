/** Floating-point numbers of 16 bits, as IEEE 754 has them: 1 bit sign, 5 bits exponent, 10 bits fraction. */

/** From here on a number is rounded to infinity. The largest half float is 65504. */
const overflow = 65_520

/** The bits of the nearest half float, of two equally near ones the even one. NaN is the one that Python writes. */
export function halfBitsOf(value: number): number {
  if (Number.isNaN(value)) return 0x7e00
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0
  const size = Math.abs(value)
  if (size >= overflow) return sign | 0x7c00
  // The distance between two half floats of this size, and how often it was doubled: the exponent.
  let step = 2 ** -24
  let exponent = 0
  for (; size >= 2_048 * step; step *= 2) exponent++
  return sign | ((exponent << 10) + roundedToEven(size / step))
}

/** Adding what leaves no bit for a fraction makes the processor round, and exactly once. */
function roundedToEven(size: number): number {
  return size + 2 ** 52 - 2 ** 52
}

/** The number that the bits stand for. */
export function halfOf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits >> 10) & 0x1f
  const fraction = bits & 0x3ff
  if (exponent === 0) return sign * fraction * 2 ** -24
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : Number.NaN
  return sign * (1_024 + fraction) * 2 ** (exponent - 25)
}
