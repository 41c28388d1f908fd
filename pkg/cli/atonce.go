package cli

import "sync"

// atOnce runs do for 0 to n-1 side by side, so many at a time, and waits for all.
func atOnce(limit, n int, do func(i int)) {
	var wg sync.WaitGroup
	slots := make(chan struct{}, limit)
	for i := range n {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			do(i)
		})
	}
	wg.Wait()
}
