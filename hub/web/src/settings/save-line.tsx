import { Button } from '@mantine/core'
import { ProblemNotice } from '../notices/problem-notice.tsx'
import styles from './settings.module.css'

interface Props {
  readonly save: { readonly error: Error | null; readonly isPending: boolean; readonly isSuccess: boolean }
  /** What the button says. */
  readonly label: string
  /** What is said once it is saved. */
  readonly done: string
}

/** The end of a form of settings: why it was refused, the button that sends it, and that it was saved. */
export function SaveLine({ save, label, done }: Props) {
  return (
    <>
      {save.error === null ? null : <ProblemNotice error={save.error} />}
      <div className={styles.save}>
        <Button type="submit" loading={save.isPending}>
          {label}
        </Button>
        <span role="status" className="soft">
          {save.isSuccess ? done : ''}
        </span>
      </div>
    </>
  )
}
