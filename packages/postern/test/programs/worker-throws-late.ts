/** A module that ends its worker while it is being loaded, by an error that looks like wrong use. */

setImmediate(() => {
  throw new TypeError('late')
})
await new Promise(() => undefined)

export const handlers: object = {}
