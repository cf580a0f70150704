import { told } from '@fernlab/edge/discovery/find'
import { filledConfig } from '@fernlab/shared/contracts/draft-values'
import type { HardwareFinding, NodeHardware } from '@fernlab/shared/contracts/hardware'
import type { AddInstrumentRequest, HardwareDraft, ShownInstrument } from '@fernlab/shared/contracts/hardware-drafts'

const uno = 'serial:usb-Arduino__www.arduino.cc__0043_75630313636351D0F0C1-if00'
const unoPath = `/dev/serial/by-id/${uno.slice('serial:'.length)}`

const config = { transport: { kind: 'serial', path: unoPath } }
const rate = (usual: number): HardwareDraft['settings'][number] => ({
  name: 'baudRate',
  kind: 'rate',
  at: ['transport', 'baudRate'],
  choices: [9600, 115_200],
  usual,
})
const board: HardwareDraft = { driver: 'board', config, settings: [rate(115_200)] }
const scpi: HardwareDraft = {
  driver: 'scpi',
  config,
  settings: [{ name: 'model', kind: 'choice', at: ['model'], choices: ['rigol-dp832'] }, rate(9600)],
}

const bus: HardwareFinding = {
  group: 'I2C',
  what: 'bus 1',
  verdict: 'ok',
  ...told(['/dev/i2c-1', 'bcm2835 (i2c@7e804000)', 'on a Pi pins 3 (SDA) and 5 (SCL)']),
  find: { id: 'i2c:1', kind: 'i2c-bus', title: 'bus 1', path: '/dev/i2c-1', instruments: ['thermometer'] },
}

/** What a Pi finds that is not quite set up yet. */
const seen: Omit<NodeHardware, 'added'> = {
  lookedAt: '2026-02-02T08:30:00.000Z',
  scanned: false,
  findings: [
    {
      group: 'Machine',
      what: 'system',
      verdict: 'ok',
      ...told([
        'Raspberry Pi 4 Model B Rev 1.4',
        'Debian GNU/Linux 12 (bookworm)',
        'kernel 6.6.51+rpt-rpi-v8',
        '64 bit',
      ]),
    },
    {
      group: 'Machine',
      what: 'supply',
      verdict: 'broken',
      ...told(
        ['the voltage is too low'],
        'use the supply made for this Pi and a short, thick cable; instruments get a supply of their own',
      ),
    },
    {
      group: 'Node',
      what: 'way to the hub',
      verdict: 'ok',
      ...told(['mqtts://lab.example.edu:8883', 'the node calls out, so no port has to be open on it']),
    },
    {
      group: 'Permissions',
      what: 'fernlab',
      verdict: 'look',
      detail: 'is not let at 2 devices below. Type this, then sign in again (a service: restart it)',
      lines: [
        `echo 'SUBSYSTEM=="usbmisc", KERNEL=="usbtmc*", GROUP="dialout", MODE="0660"' | sudo tee -a /etc/udev/rules.d/99-fernlab.rules`,
        'sudo usermod -aG dialout,video fernlab',
      ],
    },
    {
      group: 'Serial ports',
      what: 'Arduino Uno',
      verdict: 'ok',
      ...told([unoPath, 'now /dev/ttyACM0', 'USB 2341:0043', 'serial number 75630313636351D0F0C1']),
      find: {
        id: uno,
        kind: 'serial',
        title: 'Arduino Uno',
        path: unoPath,
        instruments: [],
        board: 'uno',
        drafts: [board, scpi],
      },
    },
    bus,
    {
      group: '1-wire',
      what: 'bus',
      verdict: 'off',
      detail: 'is switched off. For DS18B20 sensors on pin 7 (GPIO4), type this',
      lines: ["echo 'dtoverlay=w1-gpio' | sudo tee -a /boot/firmware/config.txt", 'sudo reboot'],
    },
  ],
}

const onBus: Readonly<Record<string, readonly string[]>> = {
  '0x48': ['tmp102', 'ads1115'],
  '0x76': ['bme280', 'pca9685'],
}

/** The same once the bus was asked who is there. */
function withChips(added: readonly ShownInstrument[]): Omit<NodeHardware, 'added'> {
  const at = seen.findings.indexOf(bus)
  const chips = Object.entries(onBus).map(([address, choices]): HardwareFinding => {
    const id = `i2c:1:${address}`
    const has = added.filter(({ find }) => find === id).map(({ name }) => name)
    const config = { bus: 1, address: Number(address) }
    const settings: HardwareDraft['settings'] = [{ name: 'chip', kind: 'choice', at: ['chip'], choices }]
    return {
      group: 'I2C',
      what: `bus 1, ${address}`,
      verdict: 'ok',
      ...told([`answers: ${choices.join(' or ')}`, ...(has.length === 0 ? [] : [`used by ${has.join(' and ')}`])]),
      find: {
        id,
        kind: 'i2c-chip',
        title: `bus 1, ${address}`,
        path: '/dev/i2c-1',
        instruments: has,
        chips: choices,
        ...(has.length === 0 ? { drafts: [{ driver: 'i2c', config, settings }] } : {}),
      },
    }
  })
  return {
    ...seen,
    scanned: true,
    findings: [...seen.findings.slice(0, at + 1), ...chips, ...seen.findings.slice(at + 1)],
  }
}

/** The hardware of a node, and the instruments that are made of it. */
export class FakeHardware {
  readonly added: ShownInstrument[] = []

  get look(): NodeHardware {
    return { ...seen, added: this.added }
  }

  get scan(): NodeHardware {
    return { ...withChips(this.added), added: this.added }
  }

  add({ find, driver, name, settings }: AddInstrumentRequest): ShownInstrument | undefined {
    if (this.added.some((each) => each.name === name)) return undefined
    const drafts = withChips([]).findings.flatMap((finding) =>
      finding.find?.id === find ? (finding.find.drafts ?? []) : [],
    )
    const draft = drafts.find((each) => each.driver === driver)
    if (draft === undefined) return undefined
    const made = {
      name,
      driver,
      config: filledConfig(draft, settings),
      find,
      by: 'Ada',
      at: '2026-02-02T08:31:00.000Z',
    }
    this.added.push(made)
    return made
  }

  remove(name: string): void {
    const at = this.added.findIndex((each) => each.name === name)
    if (at >= 0) this.added.splice(at, 1)
  }
}
