/** The compiled node in a guest, where `install-edge` puts it. */
import { existsSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../source-files.ts'
import { guestProject } from './bundle.ts'
import { runCommand } from './run-command.ts'

/** Lays what `install-edge` installs into a guest's root; packages with native code are the guest's own. */
export async function layEdge(guestRoot: string): Promise<void> {
  const programs = join(guestRoot, 'opt/fernlab/edge')
  await runCommand(process.execPath, [join(root, 'scripts/deploy/stage-edge.mjs'), programs], { cwd: root })
  if (!existsSync(join(programs, 'bundle/edge-process.js'))) throw new Error(`no node was staged in ${programs}`)
  rmSync(join(programs, 'node_modules'), { recursive: true })
  symlinkSync(`${guestProject}/node_modules`, join(programs, 'node_modules'))
}
