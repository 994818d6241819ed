/** The TypeScript side that Python calls. */

import { type Server, serve } from 'postern'
import { packFloats, readings } from './contract.ts'

/** The temperatures of the last hours, the oldest first. */
const sensors: ReadonlyMap<string, readonly number[]> = new Map([
  ['cellar', [12, 12, 12, 12, 12.1, 12, 12, 12, 11.9, 12, 12, 12]],
  ['hall', [18.5, 18.5, 18.4, 18.6, 19.8, 20.9, 21.5, 21.7, 22, 21.2, 20.4, 19.5]],
])

/** Serves readings of sensors that there are not. */
export function serveReadings(at: string): Promise<Server<typeof readings.members>> {
  return serve(
    readings,
    {
      latest: ({ sensor }, ctx) => {
        const celsius = sensors.get(sensor)?.at(-1)
        if (celsius === undefined) throw ctx.fail('no_such_sensor', { sensors: [...sensors.keys()] })
        return { celsius }
      },
      history: ({ sensor, count }) => ({ packed: packFloats(sensors.get(sensor)?.slice(-count) ?? []) }),
    },
    { at },
  )
}
