#!/bin/busybox sh
# The guest's first process: the file systems that a Debian has at this point, then the tests.
export PATH=/bin:/usr/bin
/bin/busybox mkdir -p /proc /sys /dev /tmp /run /usr/sbin /sbin
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
mkdir -p /dev/pts
mount -t devpts devpts /dev/pts
mount -t debugfs debugfs /sys/kernel/debug
mount -t tmpfs tmpfs /tmp
exec </dev/null >/dev/kmsg 2>&1
ip link set lo up
mkdir -p /etc
echo 'root:x:0:0:root:/:/bin/sh' >/etc/passwd
printf 'root:x:0:\ntty:x:5:\ndialout:x:20:\nvideo:x:44:\ni2c:x:998:\ngpio:x:997:\n' >/etc/group
[ ! -x /lib/systemd/systemd-udevd ] || /lib/systemd/systemd-udevd --daemon
# FERNLAB_PORT comes from the kernel's command line.
stty -F "/dev/$FERNLAB_PORT" raw -echo 115200
cd /fernlab
node /fernlab/runner.mjs "/dev/$FERNLAB_PORT"
echo "the runner ended with $?"
poweroff -f
