import type { ReactNode } from 'react'
import { useTranslation } from 'react-i18next'
import { AppearanceMenu } from '../frame/appearance-menu.tsx'
import { useTitle } from '../frame/place.tsx'
import { FernMark } from '../mark/fern-mark.tsx'
import styles from './entrance.module.css'

/** The quiet page around sign-in, set-up and reset. */
export function Entrance({ title, text, children }: { title: string; text?: string; children: ReactNode }) {
  const { t } = useTranslation()
  useTitle(title)
  return (
    <main className={styles.entrance}>
      <div className={styles.corner}>
        <AppearanceMenu />
      </div>
      <div className={styles.box}>
        <div className={styles.brand}>
          <FernMark size={44} />
          <span>
            <strong>{t('app.name')}</strong>
            <span className={styles.tagline}>{t('app.tagline')}</span>
          </span>
        </div>
        <div>
          <h1 className={styles.title}>{title}</h1>
          {text === undefined ? null : <p className="soft">{text}</p>}
        </div>
        {children}
      </div>
    </main>
  )
}
