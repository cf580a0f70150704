import { createPageAddress, type PageAddressOptions } from '@fernlab/hub/lab-pages/page-address'
import { createSignedPaths } from '@fernlab/hub/lab-pages/signed-paths'
import { ManualClock } from '@fernlab/shared/primitives/clock'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('where labs’ own pages are')

const address = (more: Partial<PageAddressOptions> = {}) =>
  createPageAddress({ tls: false, hubPort: () => 8080, pagesPort: () => 8081, ...more })

test('without a setting it is the host that was asked, at another port', () => {
  assert.is(address().origin('127.0.0.1:8080'), 'http://127.0.0.1:8081')
  assert.is(address({ tls: true }).origin('lab.local'), 'https://lab.local:8081')
  assert.equal(address().framedBy('lab.local:8081'), ['http://lab.local:8080'])
})

test('behind a proxy it is the one that is set; plain HTTP is never shown in a page that came over TLS', () => {
  const publicUrl = 'https://lab.example'
  assert.is(address({ publicUrl }).origin('lab.example'), undefined)
  const proxied = address({ publicUrl, pagesUrl: 'https://pages.example' })
  assert.is(proxied.origin('lab.example'), 'https://pages.example')
  assert.equal(proxied.framedBy('pages.example'), [publicUrl, 'http://pages.example:8080'])
})

test('with a * each visit to a lab’s own server has a host of its own, and pages have one', () => {
  const wild = address({ publicUrl: 'https://lab.example', pagesUrl: 'https://*.pages.example:444' })
  assert.is(wild.origin('lab.example'), 'https://pages.pages.example:444')
  assert.is(wild.forVisit('lab.example', '01ABC'), 'https://s-01abc.pages.example:444')
  assert.is(address().forVisit('lab.local:8080', '01abc'), 'http://lab.local:8081')
  assert.is(address({ publicUrl: 'https://lab.example' }).forVisit('lab.example', '01abc'), undefined)
})

test('a host that would change a policy is no host', () => {
  for (const host of ["x;script-src'unsafe-eval'", 'x,y', '*', '[::1]:8080', 'a b', '', "'self'", 'x:8080/y;z']) {
    assert.not.match(address().origin(host) ?? '', /[;,*'\s[]/, host)
    for (const origin of address().framedBy(host)) assert.not.match(origin, /[;,*'\s[]/, host)
  }
  assert.is(address().origin('[::1]:8080'), undefined)
})

test('a path opens what was signed, until it expires, for this process alone', async () => {
  const clock = new ManualClock()
  const paths = createSignedPaths({ clock })
  const grant = { lab: 'rc-circuit', version: 3, expiresAt: clock.now() + 1000 }
  const path = paths.sign(grant)
  assert.equal(paths.read(`${path}/a/b.js`), { ...grant, file: 'a/b.js' })
  assert.is(paths.read(path), undefined)
  assert.is(paths.read(`${path}/`), undefined)
  for (const forged of [
    path.replace('rc-circuit', 'diode-iv'),
    path.replace('.3.', '.4.'),
    path.replace(grant.expiresAt.toString(36), (grant.expiresAt + 1).toString(36)),
    `${path.slice(0, -1)}${path.endsWith('A') ? 'E' : 'A'}`,
    path.slice(0, -1),
    path.replace(/\.[^.]+$/, '.'),
  ]) {
    assert.is(paths.read(`${forged}/index.html`), undefined, forged)
  }
  assert.is(createSignedPaths({ clock }).read(`${path}/index.html`), undefined)
  await clock.advance(1000)
  assert.is(paths.read(`${path}/index.html`), 'expired')
})

test.run()
