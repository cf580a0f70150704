/**
 * An emulated oven with a REST interface, as a listener for any HTTP server: `GET /api/status`, `PUT /api/setpoint`
 * (`{"celsius": 60}`), `PUT /api/heater` (`{"on": true}`), `POST /api/cool`, `GET /api/page` (a line of HTML).
 */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { createNoise } from './noise.ts'
import { ThermalBody } from './thermal-body.ts'

const MOST_BYTES = 10_000

/** 600 W into 700 J/K, 0.05 K of noise, and an answer after `latencyMs`. */
export function createHttpOven({ clock, latencyMs }: { clock: Clock; latencyMs: number }): RequestListener {
  const noise = createNoise('http-oven')
  const body = new ThermalBody({ capacityJPerK: 700, lossWPerK: 2, roomCel: 22, nowS: () => clock.monotonic() / 1000 })
  let setpointCel = 20
  let on = false
  const control = () => body.heat((celsius) => (on ? Math.min(600, Math.max(0, 30 * (setpointCel - celsius))) : 0))
  const celsius = () => Math.round(100 * (body.celsius() + 0.05 * noise.normal())) / 100
  const answers: Readonly<Record<string, (sent: Record<string, unknown>) => unknown>> = {
    'GET /api/status': () => ({
      sensors: [{ name: 'air', celsius: celsius() }],
      setpoint: setpointCel,
      heater: { on },
    }),
    'GET /api/page': () => `<p>Temperature: <b>${celsius().toFixed(2)}</b> C</p>`,
    'PUT /api/setpoint': ({ celsius: wanted }) => {
      if (typeof wanted !== 'number' || wanted < 0 || wanted > 250) return undefined
      setpointCel = wanted
      control()
      return {}
    },
    'PUT /api/heater': ({ on: wanted }) => {
      if (typeof wanted !== 'boolean') return undefined
      on = wanted
      control()
      return {}
    },
    'POST /api/cool': () => {
      on = false
      setpointCel = 20
      control()
      return {}
    },
  }
  return (request, response) => {
    void bodyOf(request).then(async (text) => {
      if (latencyMs > 0) await clock.sleep(latencyMs)
      const answer = answers[`${request.method} ${request.url}`]
      if (answer === undefined) return end(response, 404, '')
      const given = answer(objectOf(text))
      end(response, given === undefined ? 422 : 200, typeof given === 'string' ? given : JSON.stringify(given ?? {}))
    })
  }
}

function end(response: ServerResponse, status: number, text: string): void {
  response.statusCode = status
  response.end(text)
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of request) {
    if (text.length < MOST_BYTES) text += chunk
  }
  return text
}

function objectOf(text: string): Record<string, unknown> {
  try {
    const json: unknown = JSON.parse(text)
    return typeof json === 'object' && json !== null ? { ...json } : {}
  } catch {
    return {}
  }
}
