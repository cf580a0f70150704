/** The services of the stand-in for the hub, one in each state. */
import type { DirectoryEntry, DirectoryService } from '@fernlab/shared/contracts/directory'

const ago = (seconds: number) => new Date(Date.now() - seconds * 1000).toISOString()

const service = (node: string, name: string, more: Partial<DirectoryEntry>): DirectoryEntry => ({
  id: `${node}/${name}`,
  name,
  node,
  site: 'main',
  address: `fernlab://main/${node}/${name}`,
  state: 'up',
  addresses: ['ws://demo.lab.example:8090/rpc'],
  tags: [],
  metadata: {},
  kind: 'simulated/supply',
  version: '1.0',
  lastSeen: ago(1),
  ...more,
})

export const services: readonly DirectoryEntry[] = [
  service('demo', 'rc-1.psu', { bench: 'demo.rc-1', tags: ['supply', 'dc'], description: 'The supply of the circuit' }),
  service('demo', 'rc-1.dmm', { bench: 'demo.rc-1', state: 'busy', tags: ['meter'], kind: 'simulated/multimeter' }),
  service('demo', 'diode-1.psu', {
    bench: 'demo.diode-1',
    state: 'locked',
    tags: ['supply'],
    lockedBy: { person: { id: 'p7', name: 'Bo Lindqvist' }, reason: 'a sweep over night', since: ago(900) },
  }),
  service('demo', 'fit', {
    daemon: 'maths',
    state: 'unhealthy',
    reason: 'it does not answer',
    kind: 'fit-server',
    lockedBy: { since: ago(60), mine: true },
  }),
  service('physics-2', 'diode-1.psu', { state: 'gone', tags: ['supply', 'dc'], lastSeen: ago(86_400) }),
]

export const supplyContract: DirectoryService['contract'] = {
  kind: 'simulated/supply',
  version: '1.0',
  actions: {
    ramp: {
      description: 'Goes there in steps.',
      arguments: { to: { type: 'number', unit: 'V' }, seconds: { type: 'number', unit: 's' } },
      result: { type: 'boolean' },
    },
  },
  signals: {
    voltage: {
      title: 'Voltage',
      unit: 'V',
      dtype: 'number',
      shape: [],
      kind: 'reading',
      access: 'read-set',
      limits: { low: 0, high: 5 },
    },
  },
  events: {},
}
