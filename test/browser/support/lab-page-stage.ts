/** A small lab with a page of its own, on a real hub with a node of this process, and two people who look at it. */
import { join } from 'node:path'
import type { Session } from '@fernlab/shared/contracts/sessions'
import type { Browser, Frame, Page } from 'playwright-core'
import * as assert from 'uvu/assert'
import type { Session as LabSession } from '../../../hub/web/library/fernlab.ts'
import { smallLab, startTestHub, type TestHub, until } from '../../integration/hub/hub-with-node.ts'
import { newPerson, type TestPerson } from '../../integration/hub/session-people.ts'
import { root } from '../../support/source-files.ts'
import type { Test } from '../../support/suite.ts'
import { openBrowser, type Visit, type VisitOptions, visit } from './browser.ts'

declare global {
  interface Window {
    lab: Promise<LabSession>
    refused: string[]
  }
}

/** `__name` is what the tests' compiler puts around each function that a test sends into the frame. */
export const ownPage = `<!doctype html>
<html lang="en">
  <head><title>Box</title><link rel="stylesheet" href="style.css"></head>
  <body>
    <h1>Box</h1>
    <p>It holds <output id="value">nothing</output>.</p>
    <button id="seven">Put seven in</button>
    <script>
      refused = []
      __name = (made) => made
      addEventListener('securitypolicyviolation', ({ effectiveDirective }) => refused.push(effectiveDirective))
    </script>
    <script type="module">
      import { connect } from '/fernlab.js'
      window.lab = connect()
      const session = await window.lab
      session.on('signals', (values) => (document.querySelector('#value').textContent = values['box.value']))
      document.querySelector('#seven').onclick = () => session.set('box.value', 7)
    </script>
  </body>
</html>`
/** The lab's page in the frame, which has its session. */
export async function frameIn(page: Page): Promise<Frame> {
  const frame = await (await page.locator('iframe').elementHandle())?.contentFrame()
  if (frame == null) throw new Error('there is no frame')
  await frame.waitForFunction(() => window.lab !== undefined)
  await frame.evaluate(() => window.lab.then(() => {}))
  return frame
}

/** A browser in which somebody of a real hub is signed in. */
export async function visitAs(
  browser: Browser,
  { hub: { httpUrl: url } }: TestHub,
  who: TestPerson,
  options: VisitOptions = {},
): Promise<Visit> {
  const seen = await visit(browser, options)
  const cookies = who.browser.cookie.split('; ').map((line) => {
    const [name = '', ...value] = line.split('=')
    return { name, value: value.join('='), url }
  })
  await seen.context.addCookies(cookies)
  return seen
}

export interface LabPageStage {
  readonly lab: TestHub
  readonly browser: Browser
  readonly ada: TestPerson
  readonly staff: TestPerson
  /** Pushes the lab with this page, and more lines of lab.yaml. */
  push(page: string, more?: string): Promise<void>
  /** Ada's session, active. */
  open(of?: string): Promise<Session>
  /** The session's page in somebody's browser. */
  look(who: TestPerson, options?: VisitOptions): Promise<Visit>
}

/** Sets the stage before the suite's tests; after each, the session is ended. */
export function labPageStage(test: Test, given: (stage: LabPageStage) => void): void {
  let lab: TestHub
  let browser: Browser
  let ada: TestPerson
  let opened: Session

  const push = async (page: string, more = '') => {
    const files = [
      ...smallLab.map((file) =>
        file.path === 'lab.yaml'
          ? { ...file, text: `${file.text}session: { seconds: 120, mostSeconds: 600 }\npage: page/index.html\n${more}` }
          : file,
      ),
      { path: 'page/index.html', text: page },
      {
        path: 'page/style.css',
        text: 'body { background: #fff; color: #111 } [data-theme="dark"] body { background: #111; color: #eee }',
      },
    ]
    const pushed = await lab.call('/api/v1/labs/small', { method: 'PUT', json: { files } })
    assert.is(pushed.ok, true, await pushed.text())
  }
  const get = async (id: string) => (await ada.ask('GET', `/api/v1/sessions/${id}`)).body as Session

  /** Ada's session, active. */
  async function open(of = 'small'): Promise<Session> {
    const { id } = (await ada.ask('POST', '/api/v1/sessions', { lab: of })).body as Session
    await until(async () => (await get(id)).state === 'active', 'the session is active', 40_000)
    opened = await get(id)
    return opened
  }

  /** The session's page in somebody's browser. */
  async function look(who: TestPerson, options: VisitOptions = {}) {
    const seen = await visitAs(browser, lab, who, options)
    await seen.page.goto(`${lab.hub.httpUrl}/sessions/${opened.id}`)
    return seen
  }

  test.before(async () => {
    lab = await startTestHub({ webFolder: join(root, 'hub/web/dist') })
    await push(ownPage)
    await lab.node('node-1')
    ada = await newPerson(lab)
    const staff = await newPerson(lab, 'instructor')
    browser = await openBrowser()
    given({ lab, browser, ada, staff, push, open, look })
  })
  test.after(async () => {
    await browser?.close()
    await lab?.close()
  })
  test.after.each(async () => {
    await ada.ask('DELETE', `/api/v1/sessions/${opened.id}`)
    await until(async () => (await get(opened.id)).state === 'closed', 'the session is over')
  })
}
