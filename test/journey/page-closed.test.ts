/** Somebody who closes the page gives up what they waited for; on a real hub and node that soon miss who is gone. */
import { fileURLToPath } from 'node:url'
import type { Session } from '@fernlab/shared/contracts/sessions'
import type { Browser } from 'playwright-core'
import * as assert from 'uvu/assert'
import { openBrowser, visit } from '../browser/support/browser.ts'
import { startTestHub, type TestHub, until } from '../integration/hub/hub-with-node.ts'
import { newPerson, type TestPerson } from '../integration/hub/session-people.ts'
import { suite } from '../support/suite.ts'

const test = suite('a page that is closed', { timeoutMs: 90_000, hookTimeoutMs: 90_000 })
let lab: TestHub
let browser: Browser

test.before(async () => {
  lab = await startTestHub({
    sessionLostMs: 8_000,
    labYaml: 'session: { prepare: [{ wait: 600 }] }\n',
    webFolder: fileURLToPath(new URL('../../hub/web/dist/', import.meta.url)),
  })
  await lab.node('node-1')
  browser = await openBrowser()
})
test.after(async () => {
  await browser?.close()
  await lab?.close()
})

/** Their page of a new session of theirs. */
async function open(person: TestPerson) {
  const { page, context, complaints } = await visit(browser)
  await context.addCookies(
    person.browser.cookie.split('; ').map((pair) => {
      const at = pair.indexOf('=')
      return { name: pair.slice(0, at), value: pair.slice(at + 1), url: lab.hub.httpUrl }
    }),
  )
  await page.goto(`${lab.hub.httpUrl}/labs/small`)
  await page.getByRole('button', { name: 'Drive it live' }).click()
  await page.waitForURL(/\/sessions\/[0-9a-z]{26}/)
  return { page, context, complaints, id: page.url().slice(-26) }
}

test('closed while the bench is prepared it frees the bench, closed in the queue it frees the place', async () => {
  const [ada, ben, cleo] = [await newPerson(lab), await newPerson(lab), await newPerson(lab)]
  // Staff who look do not keep the place for anybody.
  const session = async (id: string) => (await (await lab.call(`/api/v1/sessions/${id}`)).json()) as Session
  const gone = async (id: string) => {
    await until(async () => (await session(id)).state === 'closed', 'who is gone is out', 40_000)
    assert.is((await session(id)).reason, 'nobody was there any more')
  }
  const first = await open(ada)
  await first.page.getByText('The bench is being made ready for you').first().waitFor()
  const second = await open(ben)
  await second.page
    .getByText('Your turn comes in', { exact: false })
    .or(second.page.getByText('You are in the queue'))
    .first()
    .waitFor()
  const third = await open(cleo)
  const behind = third.page.getByText('1 run is before yours.')
  await behind.waitFor()

  await second.context.close()
  await first.page.close()
  await gone(second.id)
  await gone(first.id)
  // Who stayed all the time has the bench.
  await third.page.getByText('The bench is being made ready for you').first().waitFor()
  assert.equal([...first.complaints, ...second.complaints, ...third.complaints], [])
  await first.context.close()
  await third.context.close()
})

test.run()
