import { type ReactNode, useId } from 'react'
import { useWords } from '../words/use-words.ts'
import styles from './panel.module.css'
import type { Control } from './use-control.ts'

interface Props {
  readonly title: string
  readonly titleId?: string
  readonly children: ReactNode
  /** Fills its place, as a chart does. */
  readonly fill?: boolean
}

/** What stands around every widget: its name. */
export function Tile({ title, titleId, children, fill = false }: Props) {
  return (
    <div className={styles.tile} data-fill={fill || undefined}>
      <h2 className={styles.title} id={titleId}>
        {title}
      </h2>
      {children}
    </div>
  )
}

/** Ids of a control's name and of what is said about it. */
export function useTileIds() {
  const id = useId()
  return { titleId: `${id}title`, notesId: `${id}notes` }
}

interface NotesProps {
  readonly id: string
  readonly control: Pick<Control, 'asked' | 'is' | 'isPending' | 'refused'>
  /** A value in words. */
  readonly say: (value: NonNullable<Control['is']>) => string
  readonly readable: boolean
  /** What is wrong with what was typed. */
  readonly wrong?: string | undefined
}

/** Under a control: what was asked for, what is, and why something was not taken. */
export function Notes({ id, control, say, readable, wrong }: NotesProps) {
  const { t } = useWords()
  const { asked, is, isPending, refused } = control
  const trouble = wrong ?? refused
  return (
    <div id={id} className={styles.notes}>
      {asked === undefined ? null : (
        <span className={styles.pair} data-pending={isPending || undefined}>
          {isPending ? t('panel.asking') : t('panel.asked')} <b>{say(asked)}</b>
        </span>
      )}
      {readable ? (
        <span className={styles.pair}>
          {t('panel.is')} <b>{is === undefined ? '–' : say(is)}</b>
        </span>
      ) : null}
      <span role="alert" className={styles.refused}>
        {trouble ?? ''}
      </span>
    </div>
  )
}
