package load

import (
	"context"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// Precise returns a sleep that is woken within about a tenth of a millisecond on
// an idle machine: by a timer of the kernel's own, which wakes the poller like a
// socket does. It serves one goroutine. release closes the timer. Where there are
// no such timers it is [Rest].
func Precise() (sleep func(ctx context.Context, d time.Duration), release func()) {
	fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err != nil {
		return Rest, func() {}
	}
	timer := os.NewFile(uintptr(fd), "timer")
	expirations := make([]byte, 8)
	sleep = func(ctx context.Context, d time.Duration) {
		after := unix.ItimerSpec{Value: unix.NsecToTimespec(int64(d))}
		if err := unix.TimerfdSettime(fd, 0, &after, nil); err != nil {
			Rest(ctx, d)
			return
		}
		stop := context.AfterFunc(ctx, func() { timer.SetReadDeadline(time.Unix(1, 0)) })
		defer stop()
		if _, err := timer.Read(expirations); err != nil && ctx.Err() == nil {
			Rest(ctx, d)
		}
	}
	return sleep, func() { timer.Close() }
}
