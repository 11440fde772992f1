import t from 'tap'
import { commandNames, optionsOf } from '../../src/cli/option-table.ts'

t.test('each command has its own options, and help', async t => {
  const names = commandNames.map(command => optionsOf(command).map(([name]) => name))
  const [serve = [], status = [], query = []] = names
  t.ok(serve.includes('port') && !status.includes('port') && !query.includes('port'))
  t.strictSame(query, ['timeout', 'help'])
  for (const options of names) t.equal(options.at(-1), 'help')
})
