import styles from './notices.module.css'

/** What exactly was refused, a line each; nothing without any. */
export function IssueList({ issues }: { issues: readonly { readonly path: string; readonly message: string }[] }) {
  if (issues.length === 0) return null
  return (
    <ul className={styles.issues}>
      {issues.map(({ path, message }) => (
        <li key={path + message}>{message}</li>
      ))}
    </ul>
  )
}
