/** Programs in Python that follow a run, with a hub that is killed meanwhile. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { type DiodeLab, startDiodeLab } from '../../support/clients/diode-lab.ts'
import { putSlowLab } from '../../support/clients/slow-lab.ts'
import { suite } from '../../support/suite.ts'
import { pythonEnv, runPython } from './python/run-python.ts'

const test = suite('runs by programs in Python', { timeoutMs: 90_000, hookTimeoutMs: 120_000 })
let lab: DiodeLab
test.before(async () => {
  lab = await startDiodeLab()
  await putSlowLab(lab.hub)
})
test.after(() => lab?.close())

const plain = `
import json, sys
import fernlab

run = fernlab.Run(sys.argv[1])
for name, doc in run.documents():
    print(json.dumps([name, doc]), flush=True)
assert [[name, doc] for name, doc in run.documents(follow=False)] == [[name, doc] for name, doc in run.documents()]
print(run.get()["state"])
`
const inAsyncio = `
import asyncio, json, sys
import fernlab

async def main():
    run = fernlab.AsyncRun(sys.argv[1])
    async for name, doc in run.documents():
        print(json.dumps([name, doc]), flush=True)
    print((await run.get())["state"])

asyncio.run(main())
`
const submit = `
import fernlab
run = fernlab.submit("slow", "steps", {"points": 60}, bench="demo.diode-1", priority=7, note="from Python")
print(run.id, run.get()["priority"])
`

test('documents come while the run goes on, each once, through a hub that is killed and started again', async ({
  signal,
}) => {
  await lab.untilUp()
  const env = { ...pythonEnv, FERNLAB_HUB: lab.hub.http, FERNLAB_TOKEN: lab.hub.token }
  let live = 0
  let bothHaveSome = () => {}
  const some = new Promise<void>((resolve) => (bothHaveSome = resolve))
  const said = async (name: string, script: string, args: readonly string[] = []) => {
    const file = join(lab.folder, name)
    await writeFile(file, script)
    let hasSome = false
    const onOutput = (out: string) => {
      if (hasSome || !out.includes('"event_page"')) return
      hasSome = true
      if (++live === 2) bothHaveSome()
    }
    const { code, out, err } = await runPython(file, args, { env, signal, onOutput })
    assert.is(code, 0, err)
    return out.trimEnd().split('\n')
  }
  const [line = ''] = await said('submit.py', submit)
  const [id = '', priority] = line.split(' ')
  assert.is(priority, '7')
  const following = [said('plain.py', plain, [id]), said('in_asyncio.py', inAsyncio, [id])]
  await Promise.race([some, ...following])
  const { state } = (await (
    await fetch(`${lab.hub.http}/api/v1/runs/${id}`, { headers: { authorization: `Bearer ${lab.hub.token}` } })
  ).json()) as { state: string }
  assert.is(state, 'running', 'they came while it goes on')
  await lab.hub.stop('SIGKILL')
  await lab.restartHub()
  const [one = [], other = []] = await Promise.all(following)
  assert.equal(one, other)
  assert.is(one.pop(), 'succeeded')
  const documents = one.map(
    (text) => JSON.parse(text) as [name: string, doc: { seq_num?: number[]; exit_status?: string }],
  )
  assert.equal([documents[0]?.[0], documents.at(-1)?.[0]], ['start', 'stop'])
  assert.is(documents.at(-1)?.[1].exit_status, 'success')
  assert.equal(
    documents.flatMap(([, { seq_num = [] }]) => seq_num),
    Array.from({ length: 60 }, (_, i) => i + 1),
  )
})

test.run()
