/** A folder that looks as the kernel's sysfs does with sensors on a 1-wire bus. */
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** `w1_slave` of 22.5625 °C with 12 bits, by the kernel. */
export const GOOD_SLAVE = '69 01 4b 46 7f ff 07 10 f6 : crc=f6 YES\n69 01 4b 46 7f ff 07 10 f6 t=22562\n'

export interface W1Files {
  readonly root: string
  say(id: string, slave: string): Promise<void>
  /** Takes the sensor off the bus, or puts it on again. */
  unplug(id: string): Promise<void>
  plug(id: string): Promise<void>
  remove(): Promise<void>
}

export async function makeW1Files(ids: readonly string[]): Promise<W1Files> {
  const root = await mkdtemp(join(tmpdir(), 'fernlab-w1-'))
  const devices = join(root, 'bus/w1/devices')
  for (const id of ids) {
    await mkdir(join(devices, id), { recursive: true })
    await writeFile(join(devices, id, 'w1_slave'), GOOD_SLAVE)
    await writeFile(join(devices, id, 'resolution'), '12')
  }
  return {
    root,
    say: (id, slave) => writeFile(join(devices, id, 'w1_slave'), slave),
    unplug: (id) => rename(join(devices, id), join(root, id)),
    plug: (id) => rename(join(root, id), join(devices, id)),
    remove: () => rm(root, { recursive: true, force: true }),
  }
}
