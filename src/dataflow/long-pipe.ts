import type { Observable, OperatorFunction } from 'rxjs';

/**
 * `pipe` for ten to sixteen steps. RxJS types only nine and returns unknown for more. Longer pipelines are easier to
 * read as named parts.
 *
 * @public
 */
export interface LongPipe<In> {
  <A, B, C, D, E, F, G, H, I, J>(
    step1: OperatorFunction<In, A>,
    step2: OperatorFunction<A, B>,
    step3: OperatorFunction<B, C>,
    step4: OperatorFunction<C, D>,
    step5: OperatorFunction<D, E>,
    step6: OperatorFunction<E, F>,
    step7: OperatorFunction<F, G>,
    step8: OperatorFunction<G, H>,
    step9: OperatorFunction<H, I>,
    step10: OperatorFunction<I, J>,
  ): Observable<J>;
  <A, B, C, D, E, F, G, H, I, J, K>(
    step1: OperatorFunction<In, A>,
    step2: OperatorFunction<A, B>,
    step3: OperatorFunction<B, C>,
    step4: OperatorFunction<C, D>,
    step5: OperatorFunction<D, E>,
    step6: OperatorFunction<E, F>,
    step7: OperatorFunction<F, G>,
    step8: OperatorFunction<G, H>,
    step9: OperatorFunction<H, I>,
    step10: OperatorFunction<I, J>,
    step11: OperatorFunction<J, K>,
  ): Observable<K>;
  <A, B, C, D, E, F, G, H, I, J, K, L>(
    step1: OperatorFunction<In, A>,
    step2: OperatorFunction<A, B>,
    step3: OperatorFunction<B, C>,
    step4: OperatorFunction<C, D>,
    step5: OperatorFunction<D, E>,
    step6: OperatorFunction<E, F>,
    step7: OperatorFunction<F, G>,
    step8: OperatorFunction<G, H>,
    step9: OperatorFunction<H, I>,
    step10: OperatorFunction<I, J>,
    step11: OperatorFunction<J, K>,
    step12: OperatorFunction<K, L>,
  ): Observable<L>;
  <A, B, C, D, E, F, G, H, I, J, K, L, M>(
    step1: OperatorFunction<In, A>,
    step2: OperatorFunction<A, B>,
    step3: OperatorFunction<B, C>,
    step4: OperatorFunction<C, D>,
    step5: OperatorFunction<D, E>,
    step6: OperatorFunction<E, F>,
    step7: OperatorFunction<F, G>,
    step8: OperatorFunction<G, H>,
    step9: OperatorFunction<H, I>,
    step10: OperatorFunction<I, J>,
    step11: OperatorFunction<J, K>,
    step12: OperatorFunction<K, L>,
    step13: OperatorFunction<L, M>,
  ): Observable<M>;
  <A, B, C, D, E, F, G, H, I, J, K, L, M, N>(
    step1: OperatorFunction<In, A>,
    step2: OperatorFunction<A, B>,
    step3: OperatorFunction<B, C>,
    step4: OperatorFunction<C, D>,
    step5: OperatorFunction<D, E>,
    step6: OperatorFunction<E, F>,
    step7: OperatorFunction<F, G>,
    step8: OperatorFunction<G, H>,
    step9: OperatorFunction<H, I>,
    step10: OperatorFunction<I, J>,
    step11: OperatorFunction<J, K>,
    step12: OperatorFunction<K, L>,
    step13: OperatorFunction<L, M>,
    step14: OperatorFunction<M, N>,
  ): Observable<N>;
  <A, B, C, D, E, F, G, H, I, J, K, L, M, N, O>(
    step1: OperatorFunction<In, A>,
    step2: OperatorFunction<A, B>,
    step3: OperatorFunction<B, C>,
    step4: OperatorFunction<C, D>,
    step5: OperatorFunction<D, E>,
    step6: OperatorFunction<E, F>,
    step7: OperatorFunction<F, G>,
    step8: OperatorFunction<G, H>,
    step9: OperatorFunction<H, I>,
    step10: OperatorFunction<I, J>,
    step11: OperatorFunction<J, K>,
    step12: OperatorFunction<K, L>,
    step13: OperatorFunction<L, M>,
    step14: OperatorFunction<M, N>,
    step15: OperatorFunction<N, O>,
  ): Observable<O>;
  <A, B, C, D, E, F, G, H, I, J, K, L, M, N, O, P>(
    step1: OperatorFunction<In, A>,
    step2: OperatorFunction<A, B>,
    step3: OperatorFunction<B, C>,
    step4: OperatorFunction<C, D>,
    step5: OperatorFunction<D, E>,
    step6: OperatorFunction<E, F>,
    step7: OperatorFunction<F, G>,
    step8: OperatorFunction<G, H>,
    step9: OperatorFunction<H, I>,
    step10: OperatorFunction<I, J>,
    step11: OperatorFunction<J, K>,
    step12: OperatorFunction<K, L>,
    step13: OperatorFunction<L, M>,
    step14: OperatorFunction<M, N>,
    step15: OperatorFunction<N, O>,
    step16: OperatorFunction<O, P>,
  ): Observable<P>;
}
