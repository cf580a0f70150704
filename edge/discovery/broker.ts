/** Whether the way from this node to its hub is open. */
import { asLabError } from '@fernlab/shared/primitives/lab-error'
import { takesConnection } from '../checks/takes-connection.ts'
import type { Finding } from './find.ts'

const defaultPorts: Readonly<Record<string, number>> = { 'mqtt:': 1883, 'mqtts:': 8883, 'ws:': 80, 'wss:': 443 }
const patienceMs = 3000

/** Tries the address of the hub's broker; a node is called by nobody, so that nothing has to be open on it. */
export async function lookAtBroker(hubUrl: string): Promise<Finding[]> {
  if (hubUrl === 'in-process') return []
  const { protocol, hostname, port: given } = new URL(hubUrl)
  const port = given === '' ? (defaultPorts[protocol] ?? 1883) : Number(given)
  const base = { group: 'Node', what: 'way to the hub' }
  try {
    await takesConnection(hostname.replace(/^\[|\]$/g, ''), port, AbortSignal.timeout(patienceMs))
    const detail = `${hostname}:${port} takes a connection; the node calls out, so no port has to be open here`
    return [{ ...base, verdict: 'ok', detail }]
  } catch (error) {
    const why = error instanceof DOMException ? `${hostname}:${port} does not answer` : asLabError(error).message
    const detail = `${why}. Is it the hub's address (hub.url in node.yaml), does the hub listen beyond itself (FERNLAB_HOST=0.0.0.0), and is the port open on its machine? There, with ufw, type this`
    return [{ ...base, verdict: 'broken', detail, lines: [`sudo ufw allow ${port}/tcp`] }]
  }
}
