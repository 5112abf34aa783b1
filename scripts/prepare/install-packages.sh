#!/usr/bin/env bash
# Installs Debian packages without what they would do to the machine beyond that:
#   - no service is started (a policy-rc.d that forbids it to this installation alone)
#   - no service that was not enabled before is enabled afterwards
#   - PostgreSQL makes no cluster of its own
# Everything else on the machine is left as it was, also when this is killed: what was put there
# for the installation is taken away by a process of its own, the keeper, once apt-get has ended.
#
# usage, as root: install-packages.sh [--update] PACKAGE...
#   --update   fetch apt's lists first
set -euo pipefail

readonly POLICY=/usr/sbin/policy-rc.d
readonly CLUSTER_CONF_DIR=/etc/postgresql-common/createcluster.d
readonly CLUSTER_CONF=$CLUSTER_CONF_DIR/zz-matriarch-prepare.conf
readonly MARK='Put here by install-packages.sh of Matriarch, which removes it again.'
readonly LOCK_WAIT_S=300
readonly KEEPER_WAIT_S=900
readonly RELEVANT_SERVICES=(postgresql etcd haproxy pgbouncer)

fail() {
  printf '%s\n' "$*" >&2
  exit 1
}

# One line per service that starts with the machine: systemd units, then init scripts.
list_enabled() {
  find /etc/systemd/system -path '*.wants/*' -printf 'unit %f\n' 2>/dev/null || true
  find /etc/rc[2-5].d -name 'S[0-9][0-9]*' -printf '%f\n' 2>/dev/null |
    sed 's/^S[0-9][0-9]/script /' || true
}

list_clusters() {
  find /etc/postgresql -mindepth 2 -maxdepth 2 -type d 2>/dev/null || true
}

is_ours() {
  [ -f "$1" ] && grep -qF "$MARK" "$1"
}

# A policy-rc.d that was there is never touched; it will do if it forbids what we would forbid.
check_foreign_policy() {
  local service status
  [ -e "$POLICY" ] || return 0
  for service in "${RELEVANT_SERVICES[@]}"; do
    status=0
    "$POLICY" "$service" start >/dev/null 2>&1 || status=$?
    [ "$status" -eq 101 ] ||
      fail "$POLICY is here and lets packages start $service. Nothing was installed." \
        "Let it forbid that (exit 101), or install by hand: apt-get install $*"
  done
}

forbid_starting() {
  [ -e "$POLICY" ] && return 0
  cat >"$POLICY.matriarch" <<EOF
#!/bin/sh
# $MARK
# It answers only that installation; to everybody else it is as if it were not there.
[ "\${MATRIARCH_PREPARE:-}" = installing ] && exit 101
exit 0
EOF
  chmod 755 "$POLICY.matriarch"
  mv "$POLICY.matriarch" "$POLICY"
}

forbid_main_cluster() {
  mkdir -p "$CLUSTER_CONF_DIR"
  printf '# %s\ncreate_main_cluster = false\n' "$MARK" >"$CLUSTER_CONF"
  chmod 644 "$CLUSTER_CONF"
}

remove_ours() {
  is_ours "$POLICY" && rm -f "$POLICY"
  rm -f "$POLICY.matriarch"
  is_ours "$CLUSTER_CONF" && rm -f "$CLUSTER_CONF"
  return 0
}

# A cluster that was made all the same (createcluster.conf without our directory) stays stopped.
keep_clusters_down() {
  local cluster
  comm -13 <(sort <<<"$CLUSTERS_BEFORE") <(list_clusters | sort) | while read -r cluster; do
    [ -f "$cluster/start.conf" ] && sed -i 's/^auto/manual/' "$cluster/start.conf"
  done
  return 0
}

disable_new_services() {
  local kind name
  comm -13 <(sort -u <<<"$ENABLED_BEFORE") <(list_enabled | sort -u) |
    while read -r kind name; do
      if [ "$kind" = script ]; then
        update-rc.d "$name" disable >/dev/null 2>&1
      elif command -v systemctl >/dev/null; then
        systemctl disable "$name" >/dev/null 2>&1
      else
        deb-systemd-helper disable "$name" >/dev/null 2>&1
      fi
    done
  return 0
}

restore() {
  set +e
  disable_new_services
  keep_clusters_down
  remove_ours
  # Left alone where a package has put something into them.
  [ "$CONF_DIR_BEFORE" = yes ] || rmdir "$CLUSTER_CONF_DIR" "${CLUSTER_CONF_DIR%/*}" 2>/dev/null
}

# apt-get and dpkg outlive a killed installation; all they start carries our mark.
is_installing() {
  grep -qzsx 'MATRIARCH_PREPARE=installing' /proc/[0-9]*/environ
}

# Waits until the installation has ended or died (its end of the pipe closes), and until apt-get has
# let go of everything, then restores. It has a process group of its own and does not heed signals.
start_keeper() {
  set -m
  coproc KEEPER {
    trap '' INT TERM HUP
    local waited
    read -r _ || true
    for ((waited = 0; waited < KEEPER_WAIT_S; waited++)); do
      is_installing || break
      sleep 1
    done
    restore
  }
  set +m
  readonly KEEPER_ID=$KEEPER_PID
  exec 9>&"${KEEPER[1]}" {KEEPER[1]}>&-
}

finish_keeper() {
  echo done >&9
  exec 9>&-
  wait "$KEEPER_ID" || true
}

install_packages() {
  # Left by an installation that was killed; apt-get would refuse to go on.
  if compgen -G '/var/lib/dpkg/updates/[0-9]*' >/dev/null; then
    DEBIAN_FRONTEND=noninteractive MATRIARCH_PREPARE=installing dpkg --configure -a
  fi
  DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 MATRIARCH_PREPARE=installing \
    apt-get install --yes --no-install-recommends -o DPkg::Lock::Timeout="$LOCK_WAIT_S" "$@"
}

update_lists() {
  apt-get update -o DPkg::Lock::Timeout="$LOCK_WAIT_S"
}

main() {
  local update=no status=0 interrupted=no
  if [ "${1:-}" = --update ]; then
    update=yes
    shift
  fi
  [ $# -gt 0 ] || fail 'usage: install-packages.sh [--update] PACKAGE...'
  [ "$(id -u)" -eq 0 ] || fail 'install-packages.sh must be run as root.'
  remove_ours
  check_foreign_policy "$@"
  ENABLED_BEFORE=$(list_enabled)
  CLUSTERS_BEFORE=$(list_clusters)
  CONF_DIR_BEFORE=$([ -d "$CLUSTER_CONF_DIR" ] && echo yes || echo no)
  # apt-get is left to end what it does; the signal counts afterwards.
  trap 'interrupted=yes' INT TERM HUP
  start_keeper
  forbid_starting
  forbid_main_cluster
  if [ "$update" = yes ]; then update_lists || status=$?; fi
  if [ "$status" -eq 0 ] && [ "$interrupted" = no ]; then
    # Lists that name packages the mirror has replaced are the usual reason for a failure.
    install_packages "$@" ||
      { [ "$interrupted" = no ] && update_lists && install_packages "$@"; } || status=$?
  fi
  finish_keeper
  [ "$interrupted" = no ] || fail 'Interrupted; what had been begun was ended.'
  exit "$status"
}

main "$@"
