/**
 * What an operator does, as scripts for bash in a booted root, and what each has to say. Each finds
 * what those before have left.
 */
import { wireWords } from '../../src/serve/role/reply.ts'

export type Step = {
  readonly what: string
  readonly script: string
  /** Both streams, without blanks at the end. Default: anything. */
  readonly says?: RegExp
  readonly never?: RegExp
  /** Default: 0. */
  readonly code?: number
}

/** Before each script. */
export const preamble = `
cd /
set -- $(pg_lsclusters --no-header)
version=$1 name=$2 data=$6 cluster=$1-$2
instance=pg-replstatus@$cluster settings=/etc/pg-replstatus/$cluster.conf
ask() { nc localhost 5400 </dev/null; }
answers() {
  tries=100
  until [ "$(ask)" = "$1" ]; do
    tries=$((tries - 1))
    [ $tries -gt 0 ] || { echo "it answers '$(ask)' instead of '$1'"; exit 1; }
    sleep 0.1
  done
}
# Files and folders, accounts, units, listening ports and processes.
traces() {
  find / /run /tmp /var/tmp -xdev -regextype posix-extended \\
    -regex '/(proc|sys|dev|root|srv|var/log|var/cache|var/lib/(apt|dpkg|postgresql|systemd))' -prune \\
    -o -regex '/run/(systemd|log|udev|dbus)' -prune -o -path '/tmp/traces' -o -print
  find / /run -xdev -path '/[ps]*' -prune -o -name '*replstatus*' -print
  getent passwd; getent group
  systemctl list-unit-files --no-legend
  systemctl list-units --plain --no-legend '*replstatus*'
  awk '$4 == "0A" { print "port", $2 }' /proc/net/tcp /proc/net/tcp6
  ps -e -o args= | grep -E '^(node|/usr/bin/node|systemd-notify)'
}
`

const untouched: Step = {
  what: 'nothing is left of it',
  script: 'traces | sort -u | diff /tmp/traces -',
  says: /^$/,
}

const before: Step = {
  what: 'what is there before is noted',
  script: 'traces | sort -u >/tmp/traces; grep -c . /tmp/traces',
  says: /^\d{4,}$/,
}

const enable: Step = {
  what: 'port and service are enabled and started',
  script: 'systemctl enable --now $instance.socket $instance.service',
  never: /warn|fail|error/i,
}

const restart: Step = {
  what: 'it is restarted',
  script: `systemctl restart $instance.service && answers ${wireWords.primary}`,
  says: /^$/,
}

/** Beside a server that is stopped, started, made a standby and promoted. */
const serves: readonly Step[] = [
  { what: 'it answers at once', script: 'ask', says: new RegExp(`^${wireWords.primary}$`) },
  {
    what: 'systemd is told the role',
    script: `for try in $(seq 100); do
  systemctl status $instance.service | grep 'Status: "primary: ' && break
  sleep 0.1
done
systemctl status --lines=0 $instance.service`,
    says: /Status: "primary: [^]*Active: active \(running\)/,
    never: /warn|fail/i,
  },
  {
    what: '`status` finds the service',
    script: 'runuser -u postgres -- pg-replstatus status -D $data',
    says: /^primary: [^]*\nthe daemon answers the same \(\/run\/pg-replstatus\//,
  },
  {
    what: 'it sees the server stop, start as a standby, and become the primary',
    script: `server=postgresql@$cluster
systemctl stop $server && answers '' || exit
runuser -u postgres -- touch $data/standby.signal
systemctl start $server && answers ${wireWords.standby} || exit
pg_ctlcluster $version $name promote && answers ${wireWords.primary}`,
  },
  {
    what: 'no connection is refused when it is killed',
    script: `old=$(systemctl show --value --property MainPID $instance.service)
kill -KILL $old
[ "$(ask)" = ${wireWords.primary} ] || exit
[ $(systemctl show --value --property MainPID $instance.service) != $old ]`,
  },
  {
    what: 'the service can do little besides its work',
    script: 'systemd-analyze security --no-pager --threshold=20 $instance.service | tail -n 1',
    says: /Overall exposure level for \S+: [01]\.\d OK/,
  },
  {
    what: 'it warns in the journal of the stop of the server, and of nothing else',
    script:
      'journalctl --quiet --priority warning --output cat --identifier pg-replstatus@$cluster',
    says: /^role changed from=primary to=unavailable because=.*$/,
  },
]

const writeSettings: Step = {
  what: 'the operator writes a file of settings',
  script: 'mkdir -p ${settings%/*} && echo PG_REPLSTATUS_INTERVAL=300 >$settings',
}

/** With a Node.js that is new enough. */
export const packageSteps: readonly Step[] = [
  before,
  {
    what: 'the package of a version before is installed',
    script: 'apt-get install -y -q /srv/release/before.deb',
    says: /Setting up pg-replstatus \(\S+~before\)/,
    never: /^(?:W:|E:|dpkg:)|warn|fail/im,
  },
  writeSettings,
  enable,
  ...serves,
  {
    what: 'an upgrade leaves the service running',
    script: `old=$(systemctl show --value --property MainPID $instance.service)
apt-get install -y -q /srv/release/now.deb
[ $(systemctl show --value --property MainPID $instance.service) = $old ] || exit
systemctl status --lines=0 $instance.service; systemctl restart $instance.service && ask`,
    says: new RegExp(`over \\(\\S+~before\\)[^]*Active: active[^]*${wireWords.primary}$`),
    // That a unit has changed on the disk, for example.
    never: /^(?:W:|E:|dpkg:)|warn|fail/im,
  },
  {
    what: 'after a restart it is the new version, with the settings as they were',
    script: `journalctl --boot --quiet --output cat --unit $instance.service --grep '^started version='
cat $settings
xargs -0 -n 1 -a /proc/$(systemctl show --value --property MainPID $instance.service)/environ`,
    says: /^started version="(\S+)~before" [^]*\nstarted version=\1 [^]*\nPG_REPLSTATUS_INTERVAL=300\n[^]*^PG_REPLSTATUS_INTERVAL=300$/m,
  },
  {
    what: 'several clusters have a service of their own',
    script: `systemctl disable --quiet --now $instance.socket $instance.service
pg-replstatus --discover >/etc/pg-replstatus.conf || exit
systemctl enable --quiet --now pg-replstatus.service && answers ${wireWords.primary} || exit
systemctl reload pg-replstatus.service && answers ${wireWords.primary} || exit
systemctl stop pg-replstatus.service`,
    never: /warn|fail|error/i,
  },
  { ...enable, what: 'the service of one is enabled again' },
  {
    what: 'a removal ends what runs, and leaves the settings',
    script: `apt-get remove -y -q pg-replstatus || exit
ask && echo still there
ls $settings /etc/pg-replstatus.conf
systemctl list-units --no-legend '*replstatus*'`,
    says: /\/etc\/pg-replstatus\/\S+\.conf$/,
    never: /still there|^(?:W:|E:|dpkg:)|warn|fail/im,
  },
  {
    what: 'all else is removed by a purge',
    script: 'apt-get install -y -qq /srv/release/now.deb && apt-get purge -y -q pg-replstatus',
    never: /^(?:W:|E:|dpkg:)|warn|fail/im,
  },
  untouched,
]

/** With a Node.js that is too old for it: with another one beside that, and the program alone. */
export const oneFileSteps: readonly Step[] = [
  before,
  {
    what: 'apt refuses the package, and says why',
    script: 'apt-get install -y -q /srv/release/now.deb',
    says: /pg-replstatus : Depends: nodejs \(>= 20\.19\) but \S+ is to be installed/,
    code: 100,
  },
  untouched,
  {
    what: 'the program is put beside a newer Node.js',
    script: `cp /srv/release/node /usr/local/bin/ &&
install -m 755 /srv/release/pg-replstatus.js /usr/local/bin/pg-replstatus &&
install -m 644 /srv/release/systemd/* /etc/systemd/system/ && systemctl daemon-reload`,
    says: /^$/,
  },
  writeSettings,
  enable,
  ...serves,
  restart,
  {
    what: 'it is removed by hand',
    script: `systemctl disable --quiet --now $instance.socket $instance.service
rm -r /run/pg-replstatus /etc/pg-replstatus /etc/systemd/system/pg-replstatus*
rm /usr/local/bin/pg-replstatus /usr/local/bin/node
systemctl daemon-reload`,
    says: /^$/,
  },
  // systemd keeps the empty parent of the instances until the next boot.
  { ...untouched, script: untouched.script.replace('traces', '$& | grep -v ^system-pg') },
]
