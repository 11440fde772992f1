/**
 * What dpkg runs as root. systemd is only told of it where it runs: not in a chroot, nor in a
 * container without it, nor if dpkg works in another root than its own.
 *
 * After an upgrade systemd reads the units again. The instances run on, as the program that they
 * have in memory, until they are restarted: a restart is for the time that the operator chooses.
 *
 * A removal ends the instances, which would otherwise run on without their file, and takes them out
 * of what is started at the boot. The slice is the parent of all instances.
 */

const isSystemd = '[ -z "$DPKG_ROOT" ] && [ -d /run/systemd/system ]'

const postinst = `#!/bin/sh
set -e
if [ "$1" = configure ] && ${isSystemd}; then
  systemctl daemon-reload
fi
`

const prerm = `#!/bin/sh
set -e
if [ "$1" = remove ] && ${isSystemd}; then
  deb-systemd-invoke stop 'pg-replstatus@*' pg-replstatus.service 'system-pg\\x2dreplstatus.slice'
  systemctl --quiet disable pg-replstatus@.socket pg-replstatus@.service pg-replstatus.service
fi
`

const postrm = `#!/bin/sh
set -e
case "$1" in
remove)
  rm -rf "$DPKG_ROOT/run/pg-replstatus"
  if ${isSystemd}; then
    systemctl daemon-reload
  fi
  ;;
purge)
  rm -rf "$DPKG_ROOT/etc/pg-replstatus" "$DPKG_ROOT/etc/pg-replstatus.conf"
  ;;
esac
`

export const scripts = { postinst, prerm, postrm }

export const lintianOverrides = `# deb-systemd-helper does not disable the instances of a template.
pg-replstatus: maintainer-script-calls-systemctl *
`
