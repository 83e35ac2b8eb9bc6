package sample

import (
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

func TestParseStat(t *testing.T) {
	t.Parallel()
	const tail = " S 7 1 1 0 -1 4194560 5 6 7 8 133 561 7053 3100 20 0 1 0 12 4096000 505 18446744073709551615\n"
	for _, c := range []struct {
		raw  string
		want processStat
		ok   bool
	}{
		{"1 (init)" + tail, processStat{7, 5 + 6, 7 + 8, 7053 + 3100, 1, 505}, true},
		{"1 (a) b (c d)" + tail, processStat{7, 5 + 6, 7 + 8, 7053 + 3100, 1, 505}, true},
		{"1 (init) S 7", processStat{}, false},
		{"", processStat{}, false},
		{"1 (init) S x" + tail[4:], processStat{}, false},
	} {
		got, ok := parseStat([]byte(c.raw))
		if ok != c.ok || ok && got != c.want {
			t.Errorf("%q: %+v, %v", c.raw, got, ok)
		}
	}
}

// TestPeakBetweenSamples: memory that was held between two samples only is in
// the peak, thanks to the kernel's high-water mark.
func TestPeakBetweenSamples(t *testing.T) {
	t.Parallel()
	self := []int{os.Getpid()}
	if !resetPeaks(self) {
		t.Skip("this system does not let a process reset its high-water mark")
	}
	before := peaks(self)
	held, err := unix.Mmap(-1, 0, heldBytes, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE|unix.MAP_POPULATE)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.Munmap(held); err != nil {
		t.Fatal(err)
	}
	if grown := peaks(self) - before; grown < heldBytes/2 {
		t.Errorf("the high-water mark rose by %d bytes, %d were held and given back", grown, heldBytes)
	}
}
