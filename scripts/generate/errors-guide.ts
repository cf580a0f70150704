import { errorCodes, errorGroups } from '@fernlab/hub/api/error-codes'

/** docs/errors.md: every code of the API with its status, what it means and what to do. */
export function errorsGuide(): string {
  return [introduction, ...Object.entries(errorGroups).map(([group, codes]) => section(group, codes))].join('\n')
}

const section = (group: string, codes: readonly string[]): string =>
  [
    `## ${group}`,
    '',
    '| code | status | it means | what to do |',
    '|---|---|---|---|',
    ...codes.map((code) => {
      const { status, means, next } = errorCodes[code] ?? { status: 500, means: '', next: '' }
      return `| \`${code}\` | ${status} | ${means} | ${next} |`
    }),
    '',
  ].join('\n')

const introduction = `# Errors of the API

An error is [problem+json](https://www.rfc-editor.org/rfc/rfc9457):

\`\`\`json
{
  "type": "urn:fernlab:problem:parameters-invalid",
  "title": "Parameters invalid",
  "status": 422,
  "code": "parameters-invalid",
  "detail": "the parameters are not as the protocol wants them",
  "hint": "Correct what is listed and send it again; nothing was changed.",
  "retry": "never",
  "issues": [{ "path": "parameters.voltage", "message": "12 V is above the limit of 5 V" }]
}
\`\`\`

Decide by \`code\`: it stays, words may change. \`detail\` is for staff, \`hint\` for whoever is before the screen. \`issues\` has a place and words for each thing that is wrong, \`details\` facts for programs. \`retry\` says whether the same call may help: \`never\`, \`later\` (wait as many seconds as the header \`retry-after\` says, where there is one), \`now\`. Each call of [openapi.json](openapi.json) lists the codes that it can give; take one that you do not know by its status. A node may refuse what a bench can not do with a code of its own, status 422 or 502. Codes of calls to services, such as \`service-gone\`, \`link-ended\`, \`service-failed\` and \`result-invalid\`, are [explained there](services.md#errors).
`
