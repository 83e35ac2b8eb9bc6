package dataset

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/paceline/paceline/internal/store/hub"
	"github.com/paceline/paceline/internal/store/hubtest"
)

// marcoHub serves two Parquet files of 20 row groups with 50 passages each.
func marcoHub(t *testing.T) (*hubtest.Hub, *hub.Client, int) {
	t.Helper()
	h := hubtest.New(t)
	file := marcoParquet(t, 20)
	h.AddDataset(marcoDataset, map[string][]byte{"train/0000.parquet": file, "train/0001.parquet": file})
	h.SetParquet(marcoDataset, "v2.1", "train", "train/0000.parquet", "train/0001.parquet")
	client, err := hub.New(hub.Options{Endpoint: h.URL, Tries: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return h, client, len(file)
}

func TestMarcoReadsOnlyTheRowGroupsNeeded(t *testing.T) {
	t.Parallel()
	h, client, size := marcoHub(t)
	seen := 0
	set, err := Marco{"v2.1", "train", 120}.Fetch(t.Context(), client, func() { seen++ })
	if err != nil || len(set.Texts) != 120 || set.Texts[119] != passage(119) || seen != 120 {
		t.Fatalf("%d texts, %d seen, %v", len(set.Texts), seen, err)
	}
	served := 0
	for _, r := range h.Requests() {
		if !r.Storage || r.Method != http.MethodGet {
			continue
		}
		var from, to int
		if _, err := fmt.Sscanf(r.Range, "bytes=%d-%d", &from, &to); err != nil {
			t.Fatalf("a request for the whole file: %+v", r)
		}
		served += to - from + 1
	}
	if served == 0 || served > size/3 {
		t.Errorf("%d bytes served of a file of %d, for 3 of its 20 row groups", served, size)
	}
	if h.Downloads("train/0001.parquet") > 0 {
		t.Error("the second file was read for nothing")
	}
}

func TestMarcoGoesOnInTheNextFile(t *testing.T) {
	t.Parallel()
	_, client, _ := marcoHub(t)
	set, err := Marco{"v2.1", "train", 1010}.Fetch(t.Context(), client, func() {})
	if err != nil || len(set.Texts) != 1010 || set.Texts[1009] != passage(9) {
		t.Errorf("%d texts, %v", len(set.Texts), err)
	}
	if _, err := (Marco{"v2.1", "train", 3000}).Fetch(t.Context(), client, func() {}); err == nil || !strings.Contains(err.Error(), "2,000 texts only") {
		t.Errorf("more than there is: %v", err)
	}
}

func TestMarcoErrors(t *testing.T) {
	t.Parallel()
	_, client, _ := marcoHub(t)
	if _, err := (Marco{"v9", "train", 1}).Fetch(t.Context(), client, func() {}); err == nil {
		t.Error("there is no configuration v9")
	}
	if _, err := (Marco{"v2.1", "train", 0}).Fetch(t.Context(), client, func() {}); err == nil {
		t.Error("no text at all was asked for")
	}
	away, err := hub.New(hub.Options{Endpoint: "http://127.0.0.1:1", Tries: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer away.Close()
	if _, err := (Marco{"v2.1", "train", 1}).Fetch(t.Context(), away, func() {}); !errors.Is(err, hub.ErrUnreachable) {
		t.Errorf("a hub that is not there: %v", err)
	}
}
