/** What listeners tell, as events of the log. */
import type { Event, Report } from '../facts/event.ts'
import { describeListenFault } from '../serve/endpoint.ts'
import type { ReopeningEvent } from '../serve/reopening.ts'
import type { RoleListenerEvent } from '../serve/role-listener.ts'

type ListenerEvent = RoleListenerEvent | ReopeningEvent

export const createListenerReport =
  (report: Report) =>
  (event: ListenerEvent): void => {
    report(eventOf(event))
  }

const eventOf = (event: ListenerEvent): Event => {
  switch (event.kind) {
    case 'accept failed': {
      const because = `accept failed (${event.code})`
      return { kind: 'connects lost', port: event.on.port, because }
    }
    case 'connects dropped': {
      const because = `more than ${event.connectionsMax} at once`
      return { kind: 'connects lost', port: event.on.port, because }
    }
    case 'connects refused': {
      const { on, from, refused } = event
      return { kind: 'connects refused', port: on.port, from, refused }
    }
    case 'listener blocked':
      return { kind: 'port blocked', because: describeListenFault(event.fault).message }
    case 'listener up':
      return { kind: 'listening', ...event.bound }
  }
}
