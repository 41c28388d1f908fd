package ensemble

import (
	"encoding/json"
	"testing"
)

// TestMaybeID: 0 is an id, none is not, in memory and in JSON.
func TestMaybeID(t *testing.T) {
	type field struct {
		ID MaybeID `json:"id,omitzero"`
	}
	for text, want := range map[string]MaybeID{`{}`: {}, `{"id":null}`: {}, `{"id":0}`: ID(0).Known(), `{"id":300}`: ID(300).Known()} {
		var got field
		if err := json.Unmarshal([]byte(text), &got); err != nil || got.ID != want {
			t.Errorf("%s is %+v, %v", text, got, err)
		}
		again, err := json.Marshal(got)
		if text == `{"id":null}` {
			text = `{}`
		}
		if err != nil || string(again) != text {
			t.Errorf("%s became %s, %v", text, again, err)
		}
	}
	if err := json.Unmarshal([]byte(`{"id":"1"}`), &field{}); err == nil {
		t.Error("a text was read as an id")
	}
	none, zero := MaybeID{}, ID(0).Known()
	if none.Is(0) || none.IsNot(1) || !zero.Is(0) || !zero.IsNot(1) || zero.IsNot(0) || none.String() != "" || zero.String() != "0" {
		t.Errorf("%+v, %+v", none, zero)
	}
}
