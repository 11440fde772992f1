/** The options of commands that end by themselves, apart from those that serve has as well. */
import { group } from './option-spec.ts'

export const commandOptions = {
  ...group('Output', ['status', 'history', 'cluster'], {
    json: {
      variable: null,
      help: ['print JSON'],
    },
  }),
  ...group('Output', ['cluster'], {
    watch: {
      variable: null,
      help: ['print it again every second, until Ctrl-C'],
    },
  }),
  ...group('Output', ['status'], {
    nagios: {
      variable: null,
      help: ['print a line and exit as a plugin of Nagios or', 'Icinga does'],
    },
    expect: {
      value: 'ROLE',
      words: ['primary', 'standby', 'any'],
      variable: null,
      help: [
        'primary, standby, or any for either of them; the',
        'exit code is 0 if the server has that role and',
        'listens on an address',
      ],
    },
  }),
  ...group('Connections', ['history', 'query', 'cluster'], {
    timeout: {
      value: 'MS',
      variable: null,
      help: ['time limit in milliseconds (default: 3000)'],
    },
  }),
}
