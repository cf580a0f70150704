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
exec </dev/console >/dev/console 2>&1
ip link set lo up
# FERNLAB_PORT comes from the kernel's command line.
stty -F "/dev/$FERNLAB_PORT" raw -echo 115200
cd /fernlab
node /fernlab/runner.mjs "/dev/$FERNLAB_PORT"
echo "the runner ended with $?"
poweroff -f
