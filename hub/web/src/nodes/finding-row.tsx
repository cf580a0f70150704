import type { HardwareFinding, HardwareVerdict } from '@fernlab/shared/contracts/hardware'
import { type Icon, IconAlertTriangle, IconCircleCheck, IconCircleDashed, IconCircleX } from '@tabler/icons-react'
import { CopyLine } from '../notices/copy-line.tsx'
import { Mark } from '../states/state-mark.tsx'
import { useWords } from '../words/use-words.ts'
import { Equip } from './equip.tsx'
import { detailIn, foundIn } from './findings.ts'
import styles from './hardware.module.css'

const marks: Readonly<Record<HardwareVerdict, readonly ['free' | 'offline' | 'waiting' | 'fault', Icon]>> = {
  ok: ['free', IconCircleCheck],
  off: ['offline', IconCircleDashed],
  look: ['waiting', IconAlertTriangle],
  broken: ['fault', IconCircleX],
}

/** One finding: how it stands, what it is, and what to type to mend or use it. */
export function FindingRow({ node, finding }: { node: string; finding: HardwareFinding }) {
  const { t, language } = useWords()
  const { what, verdict, lines = [], find } = finding
  const drafts = find?.drafts ?? []
  const [tone, Icon] = marks[verdict]
  return (
    <li className={styles.finding}>
      <Mark tone={tone} Icon={Icon} word={t(`nodes.verdict.${verdict}`)} />
      <div className={styles.said}>
        <span className={styles.what}>{foundIn(what, t, language)}</span>{' '}
        <span className={styles.detail}>{detailIn(finding, t, language)}</span>
        {drafts.length > 0 && find !== undefined ? (
          <Equip node={node} find={find} drafts={drafts} />
        ) : (
          lines.map((line) => <CopyLine key={line} value={line} label={t('nodes.toType')} />)
        )}
      </div>
    </li>
  )
}
