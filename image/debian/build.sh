#!/bin/sh
# SPDX-License-Identifier: MIT
#
# build.sh BINARY VERSION ARCHITECTURE OUT: a Debian package of the binary, with its unit, its user and /etc/proxy.conf, from
# the files beside this one. The same input gives the same bytes: SOURCE_DATE_EPOCH says when it was.
set -eu

binary=$1 version=$2 architecture=$3 out=$4
here=$(dirname "$0")
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT

put() { # MODE FILE PATH
    install -D -m "$1" "$2" "$root/$3"
}

put 0755 "$binary" usr/bin/proxy
put 0644 "$here/proxy.conf" etc/proxy.conf
put 0644 "$here/../systemd/proxy.service" lib/systemd/system/proxy.service
# The package has a lasting user. A dynamic one's state lies below /var/lib/private, which root alone may enter: not `proxy
# keygen`, which root starts and which goes on as the user.
sed -i '/^DynamicUser=/d' "$root/lib/systemd/system/proxy.service"
put 0644 "$here/../systemd/proxy.socket" lib/systemd/system/proxy.socket
put 0644 "$here/../../README.md" usr/share/doc/proxy/README.md
put 0644 "$here/../../proxy.conf" usr/share/doc/proxy/proxy.conf
put 0644 "$here/../../docs/troubleshooting.md" usr/share/doc/proxy/troubleshooting.md
put 0644 "$here/../../LICENSE" usr/share/doc/proxy/copyright
for script in postinst prerm postrm; do
    put 0755 "$here/$script" "DEBIAN/$script"
done
echo /etc/proxy.conf >"$root/DEBIAN/conffiles"
chmod 0644 "$root/DEBIAN/conffiles"
size=$(du -sk --apparent-size --exclude=DEBIAN "$root" | cut -f1)
cat >"$root/DEBIAN/control" <<END
Package: proxy
Version: $version
Architecture: $architecture
Maintainer: The maintainers of proxy <root@localhost>
Installed-Size: $size
Depends: adduser
Section: httpd
Priority: optional
Description: HTTPS in front of an HTTP service
 One static file that terminates TLS 1.3 and 1.2, gets and renews its own
 certificates over ACME, redirects port 80 and passes requests on by name.
END
chmod 0644 "$root/DEBIAN/control"
find "$root" -type d -exec chmod 0755 {} +
find "$root" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
mkdir -p "$(dirname "$out")"
dpkg-deb --root-owner-group -Zxz --build "$root" "$out" >/dev/null
