import { comes } from '../../browser/support/browser.ts'
import type { Cast } from '../support/cast.ts'
import { startDeskNode } from '../support/desk-node.ts'
import { button, invite, makeAccount, ways } from '../support/site.ts'

/** An admin makes the first account, sets the site up, invites its staff and enrols a node. */
export async function openTheSite(cast: Cast): Promise<void> {
  const { site } = cast
  const { page: admin } = await site.visitor('198.51.100.1')
  cast.admin = admin
  await admin.goto(/http:\/\/\S+\/setup#token=\S+/.exec(site.lab.output())?.[0] ?? '')
  await makeAccount(admin, 'Ada Fern', 'ada@school.example')
  await comes(
    () => ways(admin),
    [...['Labs', 'My runs', 'Calendar', 'Benches', 'Nodes', 'Services', 'People', 'Usage', 'Settings', 'Account']],
  )

  await admin.goto(`${site.lab.http}/settings`)
  await admin.getByText('New runs are accepted.').waitFor()
  await admin.getByLabel('People may make accounts of their own').check({ force: true })
  await admin.getByLabel('Only with an address at').fill('@school.example')
  await button(admin, 'Save').first().click()
  await admin.getByText('Saved.', { exact: true }).waitFor()
  await admin.getByLabel('Samples, days').fill('400')
  await admin.getByLabel('Whole runs, days').fill('300')
  await button(admin, 'Save').last().click()
  await admin.getByText('Samples cannot outlive their run').waitFor()
  await admin.getByLabel('Whole runs, days').fill('800')
  await button(admin, 'Save').last().click()
  const asked = admin.getByRole('dialog', { name: 'Remove old results?' })
  await asked.getByText('The samples of runs that ended more than 400 days ago are removed.').waitFor()
  await button(asked, 'Save and remove').click()
  await asked.waitFor({ state: 'detached' })
  await admin.getByLabel('Addresses, days').fill('30')
  await admin.getByText('Addresses of uses and sign-ins are forgotten after 30 days').waitFor()
  await button(admin, 'Save how long').click()
  await admin.getByText('Saved. What is older is being forgotten.').waitFor()
  await admin.getByLabel('Minutes that a booking waits').fill('12')
  await button(admin, 'Save the order').click()
  await admin.getByText('The queue is ordered anew.').waitFor()

  await admin.goto(`${site.lab.http}/people`)
  await admin.getByText('No invitations yet.').waitFor()
  const made: Record<string, string> = {}
  for (const role of ['instructor', 'lab builder', 'guest']) made[role] = await invite(admin, role)
  cast.links = made as typeof cast.links

  await admin.goto(`${site.lab.http}/nodes`)
  await button(admin, 'Enrol a node').click()
  const dialog = admin.getByRole('dialog')
  await dialog.getByLabel('Name').fill('desk')
  await admin.keyboard.press('Enter')
  const command = (await dialog.locator('code').first().textContent()) ?? ''
  await button(dialog, 'Done').click()
  cast.desk = await startDeskNode({ folder: site.folder, mqtt: site.lab.mqtt, command })
  const card = admin.getByRole('listitem').filter({ has: admin.getByRole('heading', { name: 'desk' }) })
  await card.getByText('online').waitFor()
}
