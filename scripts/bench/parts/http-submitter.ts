/** A client program that submits runs over HTTP and waits for their end (`Prefer: wait`), with connections kept open. */
import { isFinal, type RunState } from '@fernlab/shared/contracts/run-state'
import { HubClient } from '../fernlab/hub-client.ts'
import { keepInFlight } from '../framework/load.ts'

/** Methods of the part `http-submitter`. */
export function open() {
  const client = new HubClient(process.env.BENCH_HUB ?? '')
  const submit = async () => {
    const body = { lab: 'bench-nothing', protocol: 'nothing', parameters: {} }
    let run = await client.call<{ id: string; state: RunState }>('POST', '/api/v1/runs', body, { prefer: 'wait=30' })
    while (!isFinal(run.state)) run = await client.call('GET', `/api/v1/runs/${run.id}`)
  }
  return {
    load: ({ count, inFlight }: { count: number; inFlight: number }) => keepInFlight(submit, count, inFlight),
  }
}
