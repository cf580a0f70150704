/** A lab's own page on the real hub: what it tries on the person and on the page around it. */
import * as assert from 'uvu/assert'
import { suite } from '../support/suite.ts'
import { frameIn, type LabPageStage, labPageStage } from './support/lab-page-stage.ts'

const test = suite('tricks of a lab’s own page', { timeoutMs: 120_000, hookTimeoutMs: 60_000, fileTimeoutMs: 500_000 })
let stage: LabPageStage

labPageStage(test, (given) => {
  stage = given
})

test('links and forms for the whole window, downloads, questions, and full screen come to nothing', async () => {
  const { lab, ada, open, look } = stage
  await open()
  const { page, context } = await look(ada)
  const here = page.url()
  const noticed: string[] = []
  page.on('dialog', (dialog) => {
    noticed.push(`dialog ${dialog.type()}`)
    void dialog.dismiss()
  })
  page.on('download', (download) => noticed.push(`download ${download.url()}`))
  page.on('popup', (popup) => noticed.push(`popup ${popup.url()}`))
  const frame = await frameIn(page)
  await frame.evaluate(
    ({ hub }) => {
      for (const target of ['_top', '_parent', '_blank', 'elsewhere']) {
        document.body.insertAdjacentHTML(
          'beforeend',
          `<p><a href="${hub}/account" target="${target}">to ${target}</a>
          <form action="${hub}/account" target="${target}"><button>send to ${target}</button></form></p>`,
        )
      }
      document.body.insertAdjacentHTML('beforeend', '<a href="data:text/plain,x" download="x.exe">take this</a>')
      document.body.insertAdjacentHTML('beforeend', '<button id="whole">whole</button>')
      document.querySelector<HTMLButtonElement>('#whole')?.addEventListener('click', () => {
        Object.assign(window, {
          whole: document.documentElement.requestFullscreen().then(
            () => 'whole',
            ({ name }: Error) => name,
          ),
        })
      })
    },
    { hub: lab.hub.httpUrl },
  )
  // A person's own clicks, which browsers trust more than a script.
  for (const target of ['_top', '_parent', '_blank', 'elsewhere']) {
    await frame.getByText(`to ${target}`, { exact: true }).click()
    await frame.getByRole('button', { name: `send to ${target}` }).click()
  }
  await frame.getByText('take this').click()
  await frame.getByRole('button', { name: 'whole', exact: true }).click()
  assert.is(await frame.evaluate(() => (window as unknown as { whole: Promise<string> }).whole), 'TypeError')
  const outcome = await frame.evaluate(async () => {
    const name = async (work: () => unknown) => {
      try {
        return String(await work())
      } catch (error) {
        return error instanceof Error ? error.name : String(error)
      }
    }
    return {
      alert: await name(() => alert('Sign in again')),
      confirm: await name(() => confirm('Sign in again')),
      prompt: await name(() => prompt('Password')),
      print: await name(() => print()),
      caches: await name(() => caches.open('x')),
      domain: await name(() => {
        document.domain = 'localhost'
      }),
      place: await name(
        () =>
          new Promise((resolve, reject) => navigator.geolocation.getCurrentPosition(resolve, () => reject('refused'))),
      ),
      camera: await name(() => navigator.mediaDevices?.getUserMedia({ video: true }) ?? 'none'),
    }
  })
  assert.equal(outcome, {
    alert: 'undefined',
    confirm: 'false',
    prompt: 'null',
    print: 'undefined',
    caches: 'SecurityError',
    domain: 'SecurityError',
    place: 'refused',
    camera: outcome.camera,
  })
  assert.match(outcome.camera, /^none$|Error$/)
  assert.equal(noticed, [])
  assert.is(page.url(), here)
  assert.is(await page.evaluate(() => document.fullscreenElement), null)
  assert.is(context.pages().length, 1)
  await page.getByText('You have the controls.').waitFor()
  await context.close()
})

test('channels by name join no page of the hub’s', async () => {
  const { ada, open, look } = stage
  await open()
  const { page, context } = await look(ada)
  const frame = await frameIn(page)
  await page.evaluate(() => {
    const heard: unknown[] = []
    const channel = new BroadcastChannel('fernlab')
    channel.onmessage = ({ data }) => heard.push(data)
    Object.assign(window, { heard, channel })
  })
  const inFrame = await frame.evaluate(async () => {
    const heard: unknown[] = []
    const channel = new BroadcastChannel('fernlab')
    channel.onmessage = ({ data }) => heard.push(data)
    channel.postMessage('from the lab')
    Object.assign(window, { heard, channel })
    // A second of the same origin hears it, so that the first one's silence says something.
    const twin = new BroadcastChannel('fernlab')
    return new Promise((resolve) => {
      twin.onmessage = ({ data }) => resolve(data)
      channel.postMessage('again')
    })
  })
  assert.is(inFrame, 'again')
  await page.evaluate(() => (window as unknown as { channel: BroadcastChannel }).channel.postMessage('from the hub'))
  await page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 300)))
  assert.equal(await page.evaluate(() => (window as unknown as { heard: unknown[] }).heard), [])
  assert.equal(await frame.evaluate(() => (window as unknown as { heard: unknown[] }).heard), [])
  await context.close()
})

test('10,000 messages a second and huge heights leave the hub’s page quick and in shape', async () => {
  const { ada, open, look } = stage
  await open()
  const { page, context } = await look(ada)
  const frame = await frameIn(page)
  await frame.evaluate(async () => {
    const port = await new Promise<MessagePort>((resolve) => {
      addEventListener('message', ({ ports: [own] }) => own !== undefined && resolve(own), { once: true })
      parent.postMessage({ fernlab: 1, hello: 'mine' }, '*')
    })
    port.start()
    const flood = { sent: 0 }
    Object.assign(window, { flood })
    const startedAt = performance.now()
    const pour = () => {
      const due = Math.min(performance.now() - startedAt, 6000) * 10
      for (; flood.sent < due; flood.sent++) {
        const n = flood.sent
        if (n % 4 === 0) port.postMessage({ height: 1e9 * Math.random() - 1e8 })
        else if (n % 4 === 1) port.postMessage({ id: n, method: 'read', params: { signals: ['box.value'] } })
        else if (n % 4 === 2) port.postMessage({ height: 300 + (n % 1000) })
        else parent.postMessage(n % 8 === 3 && n > 30_000 ? { fernlab: 1, hello: 'again' } : 'noise'.repeat(200), '*')
      }
      if (flood.sent < 60_000) setTimeout(pour, 5)
    }
    pour()
  })
  const longestMs = await page.evaluate<number>(`new Promise((resolve) => {
    let last = performance.now()
    let longest = 0
    const endsAt = last + 5000
    const look = () => {
      const now = performance.now()
      longest = Math.max(longest, now - last)
      last = now
      if (now < endsAt) requestAnimationFrame(look)
      else resolve(longest)
    }
    requestAnimationFrame(look)
  })`)
  if (process.env.FERNLAB_SHOW_TIMES === '1') console.log('  the page drew nothing for', longestMs)
  assert.ok(longestMs < 1000, `the page drew nothing for ${longestMs} ms`)
  // The person still has every way out while it goes on.
  const before = await page.locator('iframe').elementHandle()
  const pressedAt = performance.now()
  await page.getByRole('button', { name: 'Load it again' }).click()
  assert.ok(performance.now() - pressedAt < 5000)
  // Not the frame that goes.
  await before?.waitForElementState('hidden')
  await page.locator('iframe').waitFor()
  await frameIn(page)
  const height = await page.locator('iframe').evaluate((element) => element.getBoundingClientRect().height)
  assert.ok(height >= 240 && height <= 4000, `${height} px`)
  await page.getByText('You have the controls.').waitFor()
  await context.close()
})

test.run()
