/** A network with a hub behind it that has the lab of the guide from a Pi to a published lab. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { blocksOf } from '../../support/doc-blocks.ts'
import type { GuestNeed } from '../../support/kernel/need.ts'
import { outsideHub } from '../../support/kernel/outside-hub.ts'
import { root } from '../../support/source-files.ts'

const guide = 'docs/raspberry-pi.md'

export const need: GuestNeed = {
  // Without the first one, the second one does not find the controller's transceiver.
  modules: ['phy-generic', 'dwc2', 'cdc_ether'],
  files: [guide],
  edge: true,
  host: async () => {
    const folder = mkdtempSync(join(tmpdir(), 'fernlab-guide-'))
    for (const { file, text } of blocksOf(readFileSync(join(root, guide), 'utf8'))) {
      if (file === undefined) continue
      mkdirSync(dirname(join(folder, file)), { recursive: true })
      writeFileSync(join(folder, file), text)
    }
    try {
      return await outsideHub([join(folder, 'lamp')])
    } finally {
      rmSync(folder, { recursive: true })
    }
  },
}
