import { sql } from 'kysely'

/** True of people whose name or address contains the text, whatever its case. */
export function personNamed(text: string) {
  const pattern = `%${text.replaceAll(/[\\%_]/g, '\\$&')}%`
  return sql<boolean>`(user.name LIKE ${pattern} ESCAPE '\\' OR user.email LIKE ${pattern} ESCAPE '\\')`
}
