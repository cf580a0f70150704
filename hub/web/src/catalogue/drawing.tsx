import { FernMark } from '../mark/fern-mark.tsx'
import styles from './catalogue.module.css'

/** A lab's line drawing; decorative, since its title stands beside it. */
export function Drawing({ picture, className }: { picture: string | undefined; className: string | undefined }) {
  return (
    <div className={`${styles.frame} ${className ?? ''}`}>
      {picture === undefined ? <FernMark size={56} /> : <img src={picture} alt="" loading="lazy" decoding="async" />}
    </div>
  )
}
