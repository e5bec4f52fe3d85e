# The two images of the testbed, made of Debian's own files: a small root for containers, and the
# same root with a kernel for virtual machines. build/images/NAME/image.conf describes each.
# shellcheck shell=bash

IMAGES=${ROOT:?}/build/images
# A shell of its own: busybox's would run busybox's ip and ping in place of the real ones.
IMAGE_PROGRAMS='/usr/bin/bash /usr/bin/ping /usr/bin/iperf3 /usr/bin/tcpdump /usr/sbin/ethtool /usr/sbin/ip /usr/sbin/tc'
# In the order of loading.
IMAGE_MODULES='virtio/virtio_ring virtio/virtio virtio/virtio_pci_modern_dev
	virtio/virtio_pci_legacy_dev virtio/virtio_pci char/virtio_console
	net/core/failover net/net_failover net/virtio_net'

images_build() {
	local stamp
	stamp=$(images_stamp)
	[ "$(cat "$IMAGES/.stamp" 2>/dev/null)" != "$stamp" ] || return 0
	say "making the images container-minimal and vm-minimal"
	mkdir -p "$IMAGES/.work"
	image_root "$IMAGES/.work/root"
	image_container
	image_vm
	rm -rf "$IMAGES/.work"
	echo "$stamp" >"$IMAGES/.stamp"
}

# What the images depend on: this script, the files they take from the tree, the packages.
images_stamp() {
	cat "$ROOT/testbed.d/images.sh" "$ROOT"/testbed.d/image/* "$ROOT/build/test/rawframe" \
		<(dpkg-query -W busybox-static iperf3 iproute2 iputils-ping ethtool tcpdump libc6) | sha256sum
}

image_root() {
	local root=$1 program applet
	rm -rf "$root"
	mkdir -p "$root"/{usr/{bin,sbin,lib,lib64},etc,proc,sys,dev,run,tmp,root,vnode,var/log}
	for program in bin sbin lib lib64; do
		ln -s "usr/$program" "$root/$program"
	done
	chmod 1777 "$root/tmp"
	cp "$(command -v busybox)" "$root/usr/bin/busybox"
	for applet in $(busybox --list-full); do
		applet=$root/usr/${applet#usr/}
		[ -e "$applet" ] || ln -s /usr/bin/busybox "$applet"
	done
	for program in $IMAGE_PROGRAMS; do
		image_program "$root" "$program"
	done
	ln -sf bash "$root/usr/bin/sh"
	cp "$ROOT/build/test/rawframe" "$root/usr/bin/"
	cp "$ROOT"/testbed.d/image/{node-boot,profile} "$root/etc/"
	# tcpdump wants to become a user of its own.
	printf 'root:x:0:0:root:/root:/bin/sh\ntcpdump:x:100:100::/:/bin/false\n' >"$root/etc/passwd"
	printf 'root:x:0:\ntcpdump:x:100:\n' >"$root/etc/group"
	echo '127.0.0.1 localhost' >"$root/etc/hosts"
}

# A program with the shared libraries that it needs, under the names the loader looks for.
image_program() {
	local root=$1 library
	rm -f "$root"/usr/{bin,sbin}/"${2##*/}"
	cp -L "$2" "$root/usr/bin/"
	for library in $(ldd "$2" | grep -o '/[^ ]*'); do
		[ -e "$root$library" ] || install -D -m 755 "$library" "$root$library"
	done
}

# busybox init keeps a shell on this terminal; an empty name is the console it was started with.
image_console() {
	sed "s/^CONSOLE/$2/" "$ROOT/testbed.d/image/inittab" >"$1/etc/inittab"
}

# Puts a finished image in the place of the old one.
image_publish() {
	rm -rf "${IMAGES:?}/$1"
	mv "$IMAGES/.work/$1" "$IMAGES/$1"
}

image_container() {
	local new=$IMAGES/.work/container-minimal
	mkdir -p "$new"
	cp -a "$IMAGES/.work/root" "$new/rootfs"
	image_console "$new/rootfs" ''
	cat >"$new/image.conf" <<-END
		[image]
		name=container-minimal
		kind=container
		arch=$(uname -m)
		memory=64MiB
		disk=64MiB
		root=rootfs
		description=bash, busybox, iproute2, ping, iperf3, tcpdump, ethtool
	END
	image_publish container-minimal
}

image_vm() {
	local new=$IMAGES/.work/vm-minimal root=$IMAGES/.work/root
	mkdir -p "$new"
	image_kernel "$root" "$new/vmlinuz"
	image_console "$root" ttyS0
	ln -s sbin/init "$root/init"
	(cd "$root" && find . | LC_ALL=C sort | cpio --quiet -o -H newc -R 0:0) >"$new/initrd.cpio"
	cat >"$new/image.conf" <<-END
		[image]
		name=vm-minimal
		kind=vm
		arch=$(uname -m)
		memory=128MiB
		disk=0MiB
		kernel=vmlinuz
		initrd=initrd.cpio
		cmdline=console=ttyS0 quiet panic=1
		description=Debian's kernel; bash, busybox, iproute2, ping, iperf3, tcpdump, ethtool; runs in memory
	END
	image_publish vm-minimal
}

# Debian's kernel image and the few modules a virtual network card needs; nothing is installed.
image_kernel() {
	local root=$1 package from=$IMAGES/.work/kernel module file
	package=$(image_kernel_package) || die "apt knows no linux-image-amd64; try: apt-get update"
	mkdir -p "$from" "$IMAGES/.cache" "$root/usr/lib/modules"
	(
		cd "$IMAGES/.cache" || exit 1
		ls "$package"_*.deb >/dev/null 2>&1 || apt-get download -q "$package" >/dev/null 2>&1 ||
			die "apt cannot download $package"
	)
	dpkg-deb --fsys-tarfile "$IMAGES/.cache/$package"_*.deb | tar -x -C "$from" --wildcards \
		'./boot/vmlinuz-*' './lib/modules/*/kernel/drivers/virtio' './lib/modules/*/kernel/drivers/char' \
		'./lib/modules/*/kernel/drivers/net/*.ko' './lib/modules/*/kernel/net/core'
	for module in $IMAGE_MODULES; do
		file=$(find "$from/lib" -path "*/$module.ko")
		[ -n "$file" ] || die "$package has no module $module"
		cp "$file" "$root/usr/lib/modules/"
		echo "${module##*/}.ko" >>"$root/usr/lib/modules/order"
	done
	cp "$from"/boot/vmlinuz-* "$2"
	chmod 644 "$2"
}

image_kernel_package() {
	apt-cache depends linux-image-amd64 2>/dev/null | sed -n 's/.*Depends: \(linux-image-[0-9].*\)/\1/p' |
		grep . || { apt-get update -q >/dev/null 2>&1 && apt-cache depends linux-image-amd64 |
		sed -n 's/.*Depends: \(linux-image-[0-9].*\)/\1/p' | grep .; }
}

# Does /dev/kvm really run a guest? Only booting one tells; the answer holds until the next boot.
kvm_works() {
	local boot answer=no
	boot=$(cat /proc/sys/kernel/random/boot_id)
	[ -e /dev/kvm ] || return 1
	if ! grep -q "^$boot" "$IMAGES/.kvm" 2>/dev/null; then
		! image_boots kvm 15 || answer=yes
		echo "$boot $answer" >"$IMAGES/.kvm"
	fi
	grep -q "^$boot yes" "$IMAGES/.kvm"
}

# Boots vm-minimal with an accelerator until it says that it is ready, at most $2 seconds.
image_boots() {
	local vm=$IMAGES/vm-minimal console guest status=0
	exec {console}< <(exec timeout -k 1 "$2" qemu-system-x86_64 \
		-machine "q35,accel=$1" -cpu "$(image_cpu "$1")" -m 256 \
		-nodefaults -no-user-config -nographic -serial stdio -no-reboot \
		-kernel "$vm/vmlinuz" -initrd "$vm/initrd.cpio" -append 'console=ttyS0 quiet panic=1' \
		</dev/null 2>/dev/null)
	guest=$!
	grep -q vnode-ready <&"$console" || status=$?
	kill "$guest" 2>/dev/null || true
	exec {console}<&-
	return $status
}

image_cpu() {
	[ "$1" = kvm ] && echo host || echo max
}
